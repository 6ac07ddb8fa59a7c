package dev.meridian.node;

import dev.meridian.bench.BenchCommand;
import java.util.List;
import java.util.Set;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/**
 * The command line. A command is a class with {@code @Command} in this package that returns its exit code, and a line in
 * the list below; help, version, {@code --verbose} and the report of errors come from here.
 */
@Command(
        name = "meridian",
        description = "Serves language models near the people who use them.",
        scope = ScopeType.INHERIT,
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        usageHelpAutoWidth = true)
final class Main implements Runnable {
    private static final List<Class<?>> COMMANDS = List.of(
            UpCommand.class,
            NodeCommand.class,
            ClusterListCommands.Nodes.class,
            ClusterListCommands.ModelsOfNodes.class,
            ClusterListCommands.Replicas.class,
            ClusterListCommands.Demand.class,
            ClusterListCommands.Plan.class,
            EventCommands.Events.class,
            EventCommands.Why.class,
            ClusterListCommands.Changes.class,
            ClusterChangeCommands.Move.class,
            ClusterChangeCommands.Drain.class,
            ClusterChangeCommands.Undrain.class,
            ClusterChangeCommands.Place.class,
            ClusterChangeCommands.Unplace.class,
            ClusterChangeCommands.Undo.class,
            SimulateCommand.class,
            ChatCommand.class,
            ImportCommand.class,
            SynthCommand.class,
            VerifyCommand.class,
            EvalCommand.class,
            KeysCommand.class,
            CertsCommand.class,
            BenchCommand.class,
            BenchServerCommand.class,
            TrainCommand.class,
            CompletionCommand.class,
            HelpCommand.class);

    /** These tell of all the others. */
    private static final Set<Class<?>> NEED_ALL = Set.of(CompletionCommand.class, HelpCommand.class);

    /** Exit codes besides picocli's 0 (done) and 2 (the command line is wrong). */
    static final int FAILED = 1;

    static final int INTERRUPTED = 130;

    @Option(
            names = "--verbose",
            scope = ScopeType.INHERIT,
            description = "Print stack traces of errors, as MERIDIAN_DEBUG=1 does.")
    boolean verbose = "1".equals(System.getenv("MERIDIAN_DEBUG"));

    @Spec
    private CommandSpec spec;

    public static void main(String[] args) {
        System.exit(commandLine(args).execute(args));
    }

    /** The commands that {@code args} can be about: reading what all of them take costs as much time as starting a JVM. */
    private static List<Class<?>> commands(String[] args) {
        String first = args.length == 0 ? "" : args[0];
        return COMMANDS.stream()
                .filter(type -> type.getAnnotation(Command.class).name().equals(first) && !NEED_ALL.contains(type))
                .findFirst()
                .<List<Class<?>>>map(List::of)
                .orElse(COMMANDS);
    }

    /** With what is needed to execute {@code args}; without any it has all. */
    static CommandLine commandLine(String... args) {
        Main main = new Main();
        ErrorReport errors = new ErrorReport(() -> main.verbose);
        CommandLine commandLine = new CommandLine(main);
        commands(args).forEach(commandLine::addSubcommand);
        // Of bench's own module the importer is no part.
        CommandLine bench = commandLine.getSubcommands().get("bench");
        if (bench != null) {
            bench.addSubcommand(PeersCommand.class);
            bench.addSubcommand(QualityCommand.class);
        }
        commandLine
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setExecutionExceptionHandler(errors)
                .setParameterExceptionHandler(errors);
        // Inherited by every command otherwise: the launcher, not this class, knows "test".
        commandLine
                .getCommandSpec()
                .usageMessage()
                .footer("", "'./meridian test' builds everything and runs all checks.");
        return commandLine;
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "Missing command");
    }
}

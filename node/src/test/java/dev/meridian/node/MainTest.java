package dev.meridian.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import picocli.CommandLine.Command;

final class MainTest {
    @TempDir
    private Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private final CommandLine commandLine =
            Main.commandLine().setOut(new PrintWriter(out)).setErr(new PrintWriter(err));

    @ParameterizedTest
    @MethodSource("commands")
    void everyCommandHasHelp(String command) {
        assertThat(commandLine.execute(command, "--help")).isZero();
        assertThat(out.toString()).contains("meridian " + command).contains("Usage:");
        assertThat(err.toString()).isEmpty();
    }

    static Stream<String> commands() {
        return Main.commandLine().getSubcommands().keySet().stream();
    }

    /** Of a command that is built alone, as when a user runs it. */
    @ParameterizedTest
    @MethodSource("commands")
    void aCommandByItselfIsTheOneAmongAll(String command) {
        commandLine.execute(command, "--help");
        StringWriter alone = new StringWriter();
        CommandLine one = Main.commandLine(command, "--help").setOut(new PrintWriter(alone));
        assertThat(one.execute(command, "--help")).isZero();
        assertThat(alone).hasToString(out.toString());
        assertThat(one.getSubcommands().size())
                .isIn(1, commandLine.getSubcommands().size());
    }

    @Test
    void helpListsEveryCommandAndTheLaunchersOwn() {
        assertThat(commandLine.execute("--help")).isZero();
        List<String> listed = Main.commandLine().getSubcommands().entrySet().stream()
                .filter(command ->
                        !command.getValue().getCommandSpec().usageMessage().hidden())
                .map(Map.Entry::getKey)
                .toList();
        assertThat(out.toString()).contains(listed).contains("./meridian test").doesNotContain("bench-server");
    }

    @Test
    void versionNamesMeridianAndThePlatform() {
        assertThat(commandLine.execute("--version")).isZero();
        assertThat(out.toString()).startsWith("Meridian ").contains("Java 2");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "verify", "verify a b", "completion fish", "--nonsense"})
    void aWrongCommandLineExitsWith2AndPointsToHelp(String line) {
        String[] arguments = line.isEmpty() ? new String[0] : line.split(" ", -1);

        assertThat(commandLine.execute(arguments)).isEqualTo(2);
        assertThat(out.toString()).isEmpty();
        assertThat(err.toString().lines()).hasSize(2).last().asString().contains("--help");
    }

    @Test
    void aMisspeltCommandIsCorrected() {
        assertThat(commandLine.execute("verfy", "x")).isEqualTo(2);
        assertThat(err.toString()).contains("Did you mean").contains("verify");
    }

    @ParameterizedTest
    @ValueSource(strings = {"3", "-0.1", "NaN"})
    void aTemperatureOutsideItsBoundsIsAWrongCommandLine(String temperature) {
        assertThat(commandLine.execute("chat", "--temperature=" + temperature)).isEqualTo(2);
        assertThat(err.toString()).contains("--temperature").contains("expected 0 to 2");
    }

    @ParameterizedTest
    @MethodSource("wrongConfigurations")
    void aWrongConfigurationIsTheUsersMatter(String option, String file, String message) throws IOException {
        Path config = Files.writeString(folder.resolve("my.conf"), file);
        String[] options = option.replace("FILE", config.toString()).split(" ", -1);
        List<String> line = new ArrayList<>(List.of("up", "--models", folder.toString()));
        line.addAll(List.of(options));

        assertThat(commandLine.execute(line.toArray(String[]::new))).isEqualTo(1);
        assertThat(err.toString()).startsWith("meridian up: ").contains(message).doesNotContain("internal error");
        assertThat(err.toString().lines()).hasSize(1);
    }

    static List<Arguments> wrongConfigurations() {
        return List.of(
                Arguments.of("--config nope.conf", "", "nope.conf: no such file"),
                Arguments.of(
                        "--config FILE", "meridian.edge.client-port = many", "my.conf: 1: client-port has type STRING"),
                Arguments.of("--config FILE", "meridian {\n engine = {", "my.conf: 2: "),
                Arguments.of("--config FILE", "meridian.engine.slots = 0", "slots 0"),
                Arguments.of("--config FILE", "meridian.edge.max-body-bytes = 8 GiB", "overflow"),
                Arguments.of("--port 99999", "", "client-port 99999, expected 0 to 65535"),
                Arguments.of("--admin-port -1", "", "admin-port -1, expected 0 to 65535"),
                Arguments.of(
                        "--config FILE",
                        "meridian.edge.client-host = 0.0.0.0",
                        "meridian.edge.client-host 0.0.0.0 is not a loopback address"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--rounds 0",
                "--chunk 0",
                "--sequences 0",
                "--sequences 1,0",
                "--tokens 0",
                "--tokens 500",
                "--prompt 512",
                "--threads 0"
            })
    void aMeasurementThatCannotWorkIsAWrongCommandLine(String option) throws IOException {
        Bundles.write(folder.resolve("little"));
        List<String> line = new ArrayList<>(
                List.of("bench", "engine", folder.resolve("little").toString()));
        line.addAll(List.of(option.split(" ", -1)));

        assertThat(commandLine.execute(line.toArray(String[]::new))).isEqualTo(2);
        assertThat(err.toString()).startsWith("meridian bench engine: --").contains(option.split(" ", -1)[0]);
        assertThat(err.toString().lines()).hasSize(2);
    }

    @ParameterizedTest
    @MethodSource("failures")
    void aFailureIsOneLineAndAnExitCode(Exception failure, int exitCode, String line) {
        addFailing(failure);

        assertThat(commandLine.execute("fail")).isEqualTo(exitCode);
        assertThat(err.toString().lines()).containsExactly("meridian fail: " + line);
    }

    static List<Arguments> failures() {
        return List.of(
                Arguments.of(new CommandFailed("port 8080\n is taken"), 1, "port 8080 is taken"),
                Arguments.of(new NoSuchFileException("a/b"), 1, "a/b: no such file or folder"),
                Arguments.of(new IOException("disk full"), 1, "disk full"),
                Arguments.of(
                        new IllegalStateException("slot 3 has two owners"),
                        1,
                        "internal error: java.lang.IllegalStateException: slot 3 has two owners (--verbose shows where)"),
                Arguments.of(new InterruptedException(), 130, "interrupted"));
    }

    @Test
    void verbosePrintsTheStackTrace() {
        addFailing(new CommandFailed("no", new IOException("cause")));

        assertThat(commandLine.execute("fail", "--verbose")).isEqualTo(1);
        assertThat(err.toString())
                .startsWith("meridian fail: no")
                .contains("at dev.meridian.node.MainTest")
                .contains("Caused by: java.io.IOException: cause");
    }

    @ParameterizedTest
    @ValueSource(strings = {"bash", "zsh"})
    void completionKnowsTheCommands(String shell) throws IOException, InterruptedException {
        assertThat(commandLine.execute("completion", shell)).isZero();
        String ask = out + "\nCOMP_WORDS=(meridian ver); COMP_CWORD=1; _complete_meridian; echo \"${COMPREPLY[@]}\"\n";

        Process bash =
                new ProcessBuilder("bash", "--norc").redirectErrorStream(true).start();
        bash.getOutputStream().write(ask.getBytes(StandardCharsets.UTF_8));
        bash.getOutputStream().close();

        assertThat(new String(bash.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                .isEqualTo("verify\n");
        assertThat(bash.waitFor()).isZero();
    }

    private void addFailing(Exception failure) {
        // Set again, because a command added later does not take over where its parent prints.
        commandLine.addSubcommand(new Failing(failure)).setErr(new PrintWriter(err));
    }

    /** Throws what it was given. */
    @Command(name = "fail")
    private static final class Failing implements Callable<Integer> {
        private final Exception failure;

        Failing(Exception failure) {
            this.failure = failure;
        }

        @Override
        public Integer call() throws Exception {
            throw failure;
        }
    }
}

package dev.meridian.node;

import dev.meridian.engine.LoadedModel;
import dev.meridian.engine.bundle.Bundle;
import dev.meridian.protocol.ChatMessage;
import dev.meridian.protocol.Role;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.UserInterruptException;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** A talk with a model in the terminal; the model runs in this process, no server is needed. */
@Command(
        name = "chat",
        description = {
            "Talk with a model in the terminal. Ctrl-C stops a reply, Ctrl-D ends the talk, /new forgets it.",
            "The model runs in this process; no server is needed."
        })
final class ChatCommand implements Callable<Integer> {
    private static final String DEFAULT_MODEL = "atlas";
    private static final int MAX_TEMPERATURE = 2;

    @Mixin
    private ConfigOptions options = new ConfigOptions();

    @Parameters(
            paramLabel = "<model>",
            arity = "0..1",
            defaultValue = DEFAULT_MODEL,
            description = "Id of a bundle below --models. Default: ${DEFAULT-VALUE}.")
    private String model;

    @Option(names = "--system", paramLabel = "TEXT", description = "System message of the talk.")
    private @Nullable String system;

    @Option(names = "--temperature", paramLabel = "T", description = "0 to 2; 0 is greedy. Default: the model's own.")
    private @Nullable Float temperature;

    @Option(names = "--seed", paramLabel = "N", description = "Default: another one for each reply.")
    private @Nullable Long seed;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws Exception {
        // Written so that NaN does not pass.
        if (temperature != null && !(temperature >= 0 && temperature <= MAX_TEMPERATURE)) {
            throw new ParameterException(
                    spec.commandLine(), "--temperature " + temperature + ": expected 0 to " + MAX_TEMPERATURE);
        }
        NodeSettings settings = NodeSettings.load(options.config, Map.of());
        Bundle bundle = Models.find(options.models(), model);
        try (LoadedModel loaded = Models.load(
                                List.of(bundle),
                                settings.models(),
                                settings.bundles().open())
                        .getFirst();
                Terminal terminal =
                        TerminalBuilder.builder().system(true).dumb(true).build()) {
            Replies replies = new Replies(
                    loaded::encode, listener -> loaded.start(listener, System::nanoTime), temperature, seed);
            talk(terminal, replies);
        }
        return 0;
    }

    private void talk(Terminal terminal, Replies replies) throws InterruptedException {
        LineReader reader = reader(terminal);
        PrintWriter out = terminal.writer();
        out.println(model + ": Ctrl-C stops a reply, Ctrl-D ends the talk, /new forgets it.");
        List<ChatMessage> talk = opening();
        while (true) {
            String line = read(reader);
            if (line == null) {
                return;
            }
            if (line.equals("/new")) {
                talk = opening();
            } else if (!line.isEmpty()) {
                talk.add(new ChatMessage(Role.USER, line));
                Replies.Reply reply = replies.to(talk, terminal, out);
                out.println();
                out.println(reply.summary());
                out.flush();
                if (reply.complete()) {
                    talk.add(new ChatMessage(Role.ASSISTANT, reply.text()));
                } else {
                    talk.removeLast();
                }
            }
        }
    }

    /** A line stays as it was typed: {@code !!} and backslashes are the user's words, not a shell's. */
    static LineReader reader(Terminal terminal) {
        return LineReaderBuilder.builder()
                .terminal(terminal)
                .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true)
                .build();
    }

    private List<ChatMessage> opening() {
        List<ChatMessage> talk = new ArrayList<>();
        if (system != null) {
            talk.add(new ChatMessage(Role.SYSTEM, system));
        }
        return talk;
    }

    /** Null at the end of the input. Ctrl-C on a half-written line discards it. */
    static @Nullable String read(LineReader reader) {
        while (true) {
            try {
                return reader.readLine("> ").strip();
            } catch (UserInterruptException _) {
                // An empty line follows.
            } catch (EndOfFileException _) {
                return null;
            }
        }
    }
}

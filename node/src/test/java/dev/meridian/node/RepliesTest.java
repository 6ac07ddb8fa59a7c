package dev.meridian.node;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.engine.Engine;
import dev.meridian.engine.EngineSettings;
import dev.meridian.engine.LetterVocabulary;
import dev.meridian.engine.ScriptedRunner;
import dev.meridian.engine.StepListener;
import dev.meridian.engine.bundle.BundleManifest.SamplingDefaults;
import dev.meridian.engine.text.Encoded;
import dev.meridian.protocol.ChatMessage;
import dev.meridian.protocol.Prompt;
import dev.meridian.protocol.Refusal;
import dev.meridian.protocol.Role;
import dev.meridian.protocol.TokenIds;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jline.terminal.Terminal;
import org.jline.terminal.impl.DumbTerminal;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class RepliesTest {
    private static final int CONTEXT = 16;
    private static final String PROMPT = "peru?";

    private final StringWriter printed = new StringWriter();
    private final PrintWriter out = new PrintWriter(printed);
    private final List<Engine> engines = new ArrayList<>();
    private Terminal terminal;

    @BeforeEach
    void openTerminal() throws IOException {
        terminal = new DumbTerminal(
                "test",
                Terminal.TYPE_DUMB,
                new ByteArrayInputStream(new byte[0]),
                new ByteArrayOutputStream(),
                StandardCharsets.UTF_8);
    }

    @AfterEach
    void closeAll() throws IOException {
        engines.forEach(Engine::close);
        terminal.close();
    }

    private static ScriptedRunner saying(String reply) {
        return new ScriptedRunner(
                LetterVocabulary.SIZE,
                1,
                CONTEXT,
                ScriptedRunner.replying(PROMPT.length(), LetterVocabulary.ids(reply), LetterVocabulary.END));
    }

    private Replies replies(ScriptedRunner runner) {
        return replies(runner, RepliesTest::encode);
    }

    private Replies replies(ScriptedRunner runner, Function<Prompt, Encoded> encoder) {
        return new Replies(encoder, listener -> start(runner, listener), 0f, 1L);
    }

    private Engine start(ScriptedRunner runner, StepListener listener) {
        Engine engine = Engine.start(
                "test",
                runner,
                new LetterVocabulary(),
                List.of(LetterVocabulary.END),
                SamplingDefaults.none(),
                new EngineSettings(4, 16, 1 << 20),
                listener,
                System::nanoTime);
        engines.add(engine);
        return engine;
    }

    private static Encoded encode(Prompt prompt) {
        String text = ((Prompt.Chat) prompt)
                .messages().stream().map(ChatMessage::content).collect(Collectors.joining());
        return new Encoded.Ids(TokenIds.of(LetterVocabulary.ids(text)));
    }

    private Replies.Reply ask(Replies replies, String question) throws InterruptedException {
        return replies.to(List.of(new ChatMessage(Role.USER, question)), terminal, out);
    }

    @Test
    void printsTheReplyAndCountsItsTokens() throws InterruptedException {
        Replies.Reply reply = ask(replies(saying("lima")), PROMPT);

        assertThat(reply.text()).isEqualTo("lima");
        assertThat(reply.complete()).isTrue();
        assertThat(printed.toString()).isEqualTo("lima");
        assertThat(reply.summary()).startsWith("[5 tokens, ").doesNotContain("cut off");
    }

    @Test
    void saysWhereTheLengthCutTheReplyOff() throws InterruptedException {
        Replies.Reply reply = ask(replies(saying("lima, the capital of peru")), PROMPT);

        assertThat(reply.text()).hasSize(CONTEXT - PROMPT.length());
        assertThat(reply.complete()).isTrue();
        assertThat(reply.summary()).contains("cut off: the model's context is full, /new starts another");
    }

    @Test
    void aTalkThatNoLongerFitsIsASentence() throws InterruptedException {
        Replies.Reply reply = ask(replies(saying("lima")), "p".repeat(CONTEXT + 4));

        assertThat(reply.complete()).isFalse();
        assertThat(reply.summary())
                .isEqualTo("[The talk no longer fits into the model's 16 tokens; /new starts another.]");
    }

    @Test
    void aRefusedPromptIsASentence() throws InterruptedException {
        Refusal reason = new Refusal.TemplateFailed("roles must alternate", 3);
        Replies.Reply reply = ask(replies(saying("lima"), _ -> new Encoded.Refused(reason)), PROMPT);

        assertThat(reply.summary()).isEqualTo("[The model's chat template failed in line 3: roles must alternate.]");
    }

    @Test
    void aFailedEngineIsASentenceNowAndLater() throws InterruptedException {
        ScriptedRunner runner = saying("lima");
        runner.beforeStep(() -> {
            throw new IllegalStateException("out of memory");
        });
        Replies replies = replies(runner);

        for (int i = 0; i < 2; i++) {
            Replies.Reply reply = ask(replies, PROMPT);
            assertThat(reply.complete()).isFalse();
            assertThat(reply.summary()).startsWith("[The engine failed").endsWith(".]");
        }
    }

    @Test
    void interruptingStopsTheReplyAndTheNextOneIsWhole() throws InterruptedException {
        ScriptedRunner runner = saying("lima");
        // Typed while the prompt runs.
        Runnable once = new Runnable() {
            private boolean done;

            @Override
            public void run() {
                if (!done) {
                    done = true;
                    terminal.raise(Terminal.Signal.INT);
                }
            }
        };
        runner.beforeStep(once);
        Replies replies = replies(runner);

        Replies.Reply stopped = ask(replies, PROMPT);
        assertThat(stopped.complete()).isFalse();
        assertThat(stopped.summary()).isEqualTo("[stopped]");
        assertThat(ask(replies, PROMPT).text()).isEqualTo("lima");
    }
}

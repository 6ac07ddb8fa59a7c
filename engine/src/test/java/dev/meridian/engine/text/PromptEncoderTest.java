package dev.meridian.engine.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.meridian.engine.template.TemplateException;
import dev.meridian.engine.template.TemplateLimits;
import dev.meridian.protocol.ChatMessage;
import dev.meridian.protocol.Prompt;
import dev.meridian.protocol.Refusal;
import dev.meridian.protocol.Role;
import dev.meridian.protocol.TokenIds;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PromptEncoderTest {
    private static final TemplateLimits LIMITS = TemplateLimits.standard();

    private static PromptEncoder encoder(Tokenizer tokenizer) {
        return PromptEncoder.of(tokenizer, LIMITS, Clock.systemUTC(), 8192);
    }

    private static Encoded encode(Tokenizer tokenizer, Prompt prompt) {
        return encoder(tokenizer).encode(prompt);
    }

    private static Prompt chat(ChatMessage... messages) {
        return new Prompt.Chat(List.of(messages));
    }

    private static int[] ids(Encoded encoded) {
        assertThat(encoded).isInstanceOf(Encoded.Ids.class);
        return ((Encoded.Ids) encoded).ids().toArray();
    }

    @Test
    void aChatIsRenderedWithTheOpeningOfTheAnswer() {
        TestTokenizers.Loaded loaded = TestTokenizers.load("byte-level");
        Encoded encoded = encode(
                loaded.tokenizer(), chat(new ChatMessage(Role.SYSTEM, "the"), new ChatMessage(Role.USER, "hello")));
        String rendering =
                "<|im_start|>system\nthe<|im_end|>\n<|im_start|>user\nhello<|im_end|>\n<|im_start|>assistant\n";
        assertThat(ids(encoded)).isEqualTo(loaded.plain().ids(rendering, false));
    }

    @Test
    void aDeveloperIsASystemWhereTheTemplateKnowsNone(@TempDir Path folder) throws IOException {
        TestTokenizers.Loaded loaded = TestTokenizers.load("byte-level");
        Prompt prompt = chat(new ChatMessage(Role.DEVELOPER, "x"));
        assertThat(encode(loaded.tokenizer(), prompt))
                .isEqualTo(encode(loaded.tokenizer(), chat(new ChatMessage(Role.SYSTEM, "x"))));
        try (Tokenizer knowing = with(folder, "{# developer #}{{ messages[0].role }}")) {
            assertThat(ids(encode(knowing, prompt))).isEqualTo(knowing.encodePlain("developer"));
        }
    }

    private static Tokenizer with(Path folder, String template) throws IOException {
        Files.copy(TestTokenizers.folder("byte-level").resolve("tokenizer.json"), folder.resolve("tokenizer.json"));
        Files.writeString(folder.resolve("chat_template.jinja"), template);
        return Tokenizer.load(folder);
    }

    @Test
    void withoutATemplateTheContentsAreJoinedAndNothingInThemIsSpecial() {
        Tokenizer tokenizer = TestTokenizers.load("unigram").tokenizer();
        int[] ids = ids(encode(tokenizer, chat(new ChatMessage(Role.SYSTEM, "a"), new ChatMessage(Role.USER, "</s>"))));
        assertThat(ids).isEqualTo(tokenizer.encodePlain("a\n</s>")).doesNotContain(2);
    }

    @Test
    void aTemplatesErrorIsARefusalWithItsLine(@TempDir Path folder) throws IOException {
        try (Tokenizer tokenizer = with(folder, "\n{{ raise_exception('Roles must alternate') }}")) {
            assertThat(encode(tokenizer, chat(new ChatMessage(Role.USER, "x"))))
                    .isEqualTo(new Encoded.Refused(new Refusal.TemplateFailed("Roles must alternate", 2)));
        }
    }

    @Test
    void aTemplateThatDoesNotCompileIsRefusedAtOnce(@TempDir Path folder) throws IOException {
        try (Tokenizer tokenizer = with(folder, "\n\n{% if %}")) {
            assertThatThrownBy(() -> encoder(tokenizer))
                    .isInstanceOfSatisfying(
                            TemplateException.class, e -> assertThat(e.line()).isEqualTo(3));
        }
    }

    @Test
    void aRawPromptKeepsItsSpecialTokens() {
        Tokenizer tokenizer = TestTokenizers.load("byte-fallback").tokenizer();
        assertThat(ids(encode(tokenizer, new Prompt.Text("the</s>")))).isEqualTo(tokenizer.encodeText("the</s>"));
    }

    @Test
    void readyIdsMustBeOfTheVocabulary() {
        Tokenizer tokenizer = TestTokenizers.load("byte-level").tokenizer();
        int size = tokenizer.table().size();
        TokenIds valid = TokenIds.of(0, size - 1);
        assertThat(encode(tokenizer, new Prompt.Tokens(valid))).isEqualTo(new Encoded.Ids(valid));
        for (int[] ids : new int[][] {{0, size}, {-1}, {}}) {
            assertThat(encode(tokenizer, new Prompt.Tokens(TokenIds.of(ids))))
                    .isInstanceOfSatisfying(
                            Encoded.Refused.class,
                            refused -> assertThat(refused.reason()).isInstanceOf(Refusal.InvalidRequest.class));
        }
        assertThat(encode(tokenizer, new Prompt.Text(""))).isInstanceOf(Encoded.Refused.class);
    }

    @Test
    void aTextThatCannotFitIsRefusedUnread() {
        Tokenizer tokenizer = TestTokenizers.load("byte-level").tokenizer();
        String large = "x".repeat(1 << 20);
        for (Prompt prompt : List.of(new Prompt.Text(large), chat(new ChatMessage(Role.USER, large)))) {
            assertThat(encode(tokenizer, prompt)).isInstanceOfSatisfying(Encoded.Refused.class, refused -> {
                Refusal.PromptTooLong reason = (Refusal.PromptTooLong) refused.reason();
                assertThat(reason.counted()).isFalse();
                assertThat(reason.contextTokens()).isEqualTo(8192);
                assertThat(reason.promptTokens()).isBetween(8192, 1 << 20);
            });
        }
        // What may fit is counted, and refused by whoever runs it.
        assertThat(ids(encode(tokenizer, new Prompt.Text("x ".repeat(8192))))).hasSizeGreaterThanOrEqualTo(8192);
    }
}

package dev.meridian.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.meridian.protocol.ChatMessage;
import dev.meridian.protocol.Role;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class QuestionTest {
    private static final String GOOD = """
            {"kind": "capital", "messages": [{"role": "user", "content": "peru?"}], "answer": "lima"}
            """;

    @TempDir
    private Path folder;

    @Test
    void aLineIsAQuestion() throws IOException {
        Path file = Files.writeString(folder.resolve("q.jsonl"), GOOD.repeat(2));
        Question question = new Question("capital", List.of(new ChatMessage(Role.USER, "peru?")), "lima");
        assertThat(Question.read(file)).containsExactly(question, question);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "'' | not a JSON object",
                "hello | Unrecognized token 'hello'",
                "[] | not a JSON object",
                "{} | messages: expected a list of at least one",
                "{\"messages\": \"peru?\"} | messages: expected a list of at least one",
                "{\"messages\": [{\"role\": \"king\", \"content\": \"a\"}]} | role: 'king' is none",
                "{\"messages\": [{\"role\": \"user\"}]} | content: expected a string",
                "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}], \"kind\": 3} | kind: expected a string"
            })
    void aLineThatIsNoneIsNamedWithWhatItLacks(String line, String message) throws IOException {
        Path file = Files.writeString(folder.resolve("q.jsonl"), GOOD + line + "\n");
        assertThatThrownBy(() -> Question.read(file))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith(file + ": line 2: " + message);
    }

    @Test
    void aFileThatCannotBeReadIsNamed() throws IOException {
        Path binary = Files.write(folder.resolve("binary"), new byte[] {(byte) 0xff, (byte) 0xfe});
        assertThatThrownBy(() -> Question.read(binary)).hasMessage(binary + ": not UTF-8");
        assertThatThrownBy(() -> Question.read(folder)).hasMessage(folder + ": Is a directory");
        Path missing = folder.resolve("missing");
        assertThatThrownBy(() -> Question.read(missing))
                .isInstanceOf(NoSuchFileException.class)
                .hasMessage(missing.toString());
    }
}

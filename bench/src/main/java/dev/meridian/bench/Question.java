package dev.meridian.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.meridian.protocol.ChatMessage;
import dev.meridian.protocol.Role;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A question with its one right answer.
 *
 * @param kind what it is about, for the table
 * @param messages the talk so far; the last one asks
 */
public record Question(String kind, List<ChatMessage> messages, String answer) {
    private static final JsonMapper JSON = new JsonMapper();

    public Question {
        messages = List.copyOf(messages);
    }

    /**
     * Reads JSON lines {@code {"kind", "messages": [{"role", "content"}], "answer"}}.
     *
     * @throws IOException naming the line that is none
     */
    public static List<Question> read(Path file) throws IOException {
        List<Question> questions = new ArrayList<>();
        int number = 0;
        for (String line : Files.readAllLines(file)) {
            number++;
            try {
                questions.add(parse(line));
            } catch (JsonProcessingException | IllegalArgumentException e) {
                throw new IOException(file + ": line " + number + ": " + e.getMessage(), e);
            }
        }
        return questions;
    }

    private static Question parse(String line) throws JsonProcessingException {
        var node = JSON.readTree(line);
        List<ChatMessage> messages = new ArrayList<>();
        for (var message : node.required("messages")) {
            messages.add(new ChatMessage(
                    Role.valueOf(message.required("role").asText().toUpperCase(Locale.ROOT)),
                    message.required("content").asText()));
        }
        return new Question(
                node.required("kind").asText(),
                messages,
                node.required("answer").asText());
    }
}

package dev.meridian.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.meridian.protocol.ChatMessage;
import dev.meridian.protocol.Role;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

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
     * @throws IOException naming the file and, where one is no question, its line
     */
    public static List<Question> read(Path file) throws IOException {
        List<Question> questions = new ArrayList<>();
        int number = 0;
        for (String line : lines(file)) {
            number++;
            try {
                questions.add(parse(line));
            } catch (JsonProcessingException e) {
                throw new IOException(file + ": line " + number + ": " + e.getOriginalMessage(), e);
            } catch (IllegalArgumentException e) {
                throw new IOException(file + ": line " + number + ": " + e.getMessage(), e);
            }
        }
        return questions;
    }

    private static List<String> lines(Path file) throws IOException {
        try {
            return Files.readAllLines(file);
        } catch (CharacterCodingException e) {
            throw new IOException(file + ": not UTF-8", e);
        } catch (FileSystemException e) {
            // It names the file already.
            throw e;
        } catch (IOException e) {
            throw new IOException(file + ": " + e.getMessage(), e);
        }
    }

    private static Question parse(String line) throws JsonProcessingException {
        JsonNode node = JSON.readTree(line);
        if (!node.isObject()) {
            throw new IllegalArgumentException("not a JSON object");
        }
        List<ChatMessage> messages = new ArrayList<>();
        for (JsonNode message : node.path("messages")) {
            messages.add(new ChatMessage(role(text(message, "role")), text(message, "content")));
        }
        if (messages.isEmpty()) {
            throw new IllegalArgumentException("messages: expected a list of at least one");
        }
        return new Question(text(node, "kind"), messages, text(node, "answer"));
    }

    private static String text(JsonNode node, String key) {
        JsonNode value = node.path(key);
        if (!value.isTextual()) {
            throw new IllegalArgumentException(key + ": expected a string");
        }
        return value.textValue();
    }

    private static Role role(String word) {
        return Stream.of(Role.values())
                .filter(role -> role.wireName().equals(word))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("role: '" + word + "' is none"));
    }
}

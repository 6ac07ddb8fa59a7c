package dev.meridian.bench.soak;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.meridian.bench.load.BodySink;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Gathers one reply, streamed or whole. One thread. */
final class ReplyReader implements BodySink {
    private static final JsonMapper JSON = new JsonMapper();

    private final boolean streamed;
    private final StringBuilder text = new StringBuilder();
    private int status;
    private int events;
    private int promptTokens = -1;
    private int completionTokens = -1;
    private boolean complete;
    private @Nullable String finish;
    private @Nullable String error;
    private @Nullable String malformed;

    ReplyReader(boolean streamed) {
        this.streamed = streamed;
    }

    @Override
    public void status(int code) {
        status = code;
    }

    @Override
    public void line(byte[] bytes, int length) {
        String line = new String(bytes, 0, length, StandardCharsets.UTF_8);
        if (status != 200 || !streamed) {
            read(line);
        } else if (line.equals("data: [DONE]")) {
            complete = true;
        } else if (line.startsWith("data: ")) {
            read(line.substring(6));
        } else if (!line.isEmpty() && !line.startsWith(":")) {
            malformed = "not a line of server-sent events: " + line;
        }
    }

    private void read(String json) {
        try {
            JsonNode node = JSON.readTree(json);
            if (node.has("error")) {
                error = node.path("error").path("code").asText("without a code");
            }
            for (JsonNode choice : node.path("choices")) {
                JsonNode piece = piece(choice);
                text.append(piece.asText(""));
                events += piece.isTextual() && !piece.asText().isEmpty() ? 1 : 0;
                if (choice.path("finish_reason").isTextual()) {
                    finish = choice.path("finish_reason").asText();
                }
            }
            if (node.path("usage").isObject()) {
                promptTokens = node.path("usage").path("prompt_tokens").asInt(-1);
                completionTokens = node.path("usage").path("completion_tokens").asInt(-1);
            }
        } catch (JsonProcessingException e) {
            malformed = "not JSON: " + json;
        }
    }

    private static JsonNode piece(JsonNode choice) {
        for (String holder : new String[] {"delta", "message"}) {
            if (choice.has(holder)) {
                return choice.path(holder).path("content");
            }
        }
        return choice.has("text") ? choice.path("text") : MissingNode.getInstance();
    }

    @Override
    public void end() {
        complete = complete || !streamed;
    }

    int status() {
        return status;
    }

    /** Pieces of text so far. */
    int events() {
        return events;
    }

    String text() {
        return text.toString();
    }

    int promptTokens() {
        return promptTokens;
    }

    int completionTokens() {
        return completionTokens;
    }

    /** Whether the reply came to its proper end: {@code [DONE]} where it was streamed. */
    boolean isComplete() {
        return complete;
    }

    @Nullable
    String finish() {
        return finish;
    }

    /** The code of an error, in the status or in the stream. */
    @Nullable
    String error() {
        return error;
    }

    @Nullable
    String malformed() {
        return malformed;
    }
}

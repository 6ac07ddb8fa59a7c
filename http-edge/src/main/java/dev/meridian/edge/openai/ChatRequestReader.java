package dev.meridian.edge.openai;

import com.fasterxml.jackson.databind.JsonNode;
import dev.meridian.edge.openai.ParsedRequest.ModelBounds;
import dev.meridian.protocol.ChatMessage;
import dev.meridian.protocol.Generation;
import dev.meridian.protocol.Priority;
import dev.meridian.protocol.Prompt;
import dev.meridian.protocol.Role;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Reads the body of {@code POST /v1/chat/completions}.
 *
 * <p>Source of names and ranges: OpenAI's OpenAPI description, schema CreateChatCompletionRequest; {@code top_k},
 * {@code min_p} and {@code repetition_penalty} are the usual extensions of open servers. A message's {@code name} is
 * accepted and ignored: templates do not know it.
 */
public final class ChatRequestReader {
    /** They steer billing, caches and abuse detection of a hosted service, and mean nothing here. */
    private static final List<String> IGNORED = List.of(
            "user",
            "metadata",
            "safety_identifier",
            "prompt_cache_key",
            "prompt_cache_retention",
            "prompt_cache_options",
            "parallel_tool_calls");

    private final int maxMessages;
    private final LongSupplier seeds;

    /**
     * A reader for any number of threads.
     *
     * @param seeds draws the seed of a request that names none
     */
    public ChatRequestReader(int maxMessages, LongSupplier seeds) {
        this.maxMessages = maxMessages;
        this.seeds = seeds;
    }

    /**
     * Checks a body.
     *
     * @throws ApiException with what the client did wrong
     */
    public ParsedRequest read(byte[] body, ParsedRequest.Models models) {
        Fields fields = new Fields(Json.readObject(body), "");
        String model = RequestBasics.model(fields);
        ModelBounds bounds = RequestBasics.bounds(model, models);
        List<ChatMessage> messages = messages(fields.required("messages"));
        boolean stream = fields.flag("stream");
        boolean includeUsage = SamplingReader.includeUsage(fields, stream);
        Priority tier = serviceTier(fields);
        Generation generation = new Generation(
                SamplingReader.sampling(fields, bounds.vocabSize(), seeds),
                SamplingReader.choices(fields),
                maxTokens(fields, bounds.contextTokens()),
                SamplingReader.stops(fields),
                topLogprobs(fields),
                tier == null ? Priority.STANDARD : tier);
        refuseUnsupported(fields);
        fields.ignored(IGNORED);
        fields.rejectUnknown();
        return new ParsedRequest(model, new Prompt.Chat(messages), generation, stream, includeUsage, tier);
    }

    private static int maxTokens(Fields fields, int contextTokens) {
        Integer old = SamplingReader.maxTokens(fields, "max_tokens", contextTokens);
        Integer current = SamplingReader.maxTokens(fields, "max_completion_tokens", contextTokens);
        if (old != null && current != null && !old.equals(current)) {
            throw Fields.invalidValue("max_tokens", "differs from 'max_completion_tokens'; give one of them");
        }
        return current != null ? current : old != null ? old : 0;
    }

    private static int topLogprobs(Fields fields) {
        boolean wanted = fields.flag("logprobs");
        Integer top = fields.integer("top_logprobs", 0, Generation.MAX_TOP_LOGPROBS);
        if (top != null && !wanted) {
            throw Fields.invalidValue("top_logprobs", "needs 'logprobs' to be true");
        }
        return !wanted ? -1 : top == null ? 0 : top;
    }

    /** Null where the request says none. "fast" is OpenAI's other name of "priority"; "scale" is bought, not asked for. */
    private static @Nullable Priority serviceTier(Fields fields) {
        String name = fields.text("service_tier");
        return switch (name) {
            case null -> null;
            case "auto", "default" -> Priority.STANDARD;
            case "priority", "fast" -> Priority.PRIORITY;
            case "flex" -> Priority.FLEX;
            default ->
                throw ApiException.invalid(
                        name.equals("scale") ? "unsupported_parameter" : "invalid_value",
                        "service_tier",
                        "Invalid value for 'service_tier': supported are 'auto', 'default', 'priority', 'fast' and"
                                + " 'flex'.");
        };
    }

    private static void refuseUnsupported(Fields fields) {
        fields.unsupported("tools", ChatRequestReader::isEmptyArray);
        fields.unsupported("functions", ChatRequestReader::isEmptyArray);
        fields.unsupported("tool_choice", value -> isOneOf(value, "none", "auto"));
        fields.unsupported("function_call", value -> isOneOf(value, "none", "auto"));
        fields.unsupported("response_format", value -> value.size() == 1 && isOneOf(value.path("type"), "text"));
        fields.unsupported(
                "modalities", value -> value.isArray() && value.size() == 1 && isOneOf(value.get(0), "text"));
        fields.unsupported("reasoning_effort", value -> isOneOf(value, "none"));
        fields.unsupported("verbosity", value -> isOneOf(value, "medium"));
        fields.unsupported("store", value -> value.isBoolean() && !value.booleanValue());
        for (String name : List.of("audio", "prediction", "web_search_options", "moderation")) {
            fields.unsupported(name, _ -> false);
        }
    }

    private static boolean isEmptyArray(JsonNode value) {
        return value.isArray() && value.isEmpty();
    }

    private static boolean isOneOf(JsonNode value, String... allowed) {
        return value.isTextual() && List.of(allowed).contains(value.textValue());
    }

    private List<ChatMessage> messages(JsonNode value) {
        if (!value.isArray()) {
            throw Fields.wrongType("messages", "an array", value);
        }
        if (value.isEmpty() || value.size() > maxMessages) {
            throw Fields.invalidValue("messages", "must have 1 to " + maxMessages + " elements");
        }
        List<ChatMessage> messages = new ArrayList<>(value.size());
        for (int i = 0; i < value.size(); i++) {
            messages.add(message(Fields.of(value.get(i), "messages[" + i + "]")));
        }
        return messages;
    }

    private static ChatMessage message(Fields fields) {
        Role role = role(fields);
        String content = content(fields.required("content"), fields.path("content"));
        fields.text("name");
        if (role == Role.ASSISTANT) {
            fields.unsupported("tool_calls", ChatRequestReader::isEmptyArray);
            fields.unsupported("function_call", _ -> false);
            fields.unsupported("audio", _ -> false);
            fields.unsupported("refusal", _ -> false);
        }
        fields.rejectUnknown();
        return new ChatMessage(role, content);
    }

    private static Role role(Fields fields) {
        String name = Fields.text(fields.required("role"), fields.path("role"));
        Role role = find(name);
        if (role == null) {
            boolean known = name.equals("tool") || name.equals("function");
            throw ApiException.invalid(
                    known ? "unsupported_parameter" : "invalid_value",
                    fields.path("role"),
                    "Invalid value for '" + fields.path("role")
                            + "': supported are 'system', 'developer', 'user' and 'assistant'"
                            + (known ? "; '" + name + "' is known but not supported." : "."));
        }
        return role;
    }

    private static @Nullable Role find(String name) {
        for (Role role : Role.values()) {
            if (role.wireName().equals(name)) {
                return role;
            }
        }
        return null;
    }

    private static String content(JsonNode value, String param) {
        if (value.isTextual()) {
            return Fields.text(value, param);
        }
        if (!value.isArray()) {
            throw Fields.wrongType(param, "a string or an array of parts", value);
        }
        if (value.isEmpty()) {
            throw Fields.invalidValue(param, "must have at least one part");
        }
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < value.size(); i++) {
            text.append(part(Fields.of(value.get(i), param + "[" + i + "]")));
        }
        return text.toString();
    }

    private static String part(Fields fields) {
        String type = Fields.text(fields.required("type"), fields.path("type"));
        if (!type.equals("text")) {
            throw ApiException.invalid(
                    "unsupported_parameter",
                    fields.path("type"),
                    "Content parts of type '" + RequestBasics.shortened(type) + "' are not supported; only 'text' is.");
        }
        String text = Fields.text(fields.required("text"), fields.path("text"));
        fields.rejectUnknown();
        return text;
    }
}

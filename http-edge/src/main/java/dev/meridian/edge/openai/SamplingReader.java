package dev.meridian.edge.openai;

import com.fasterxml.jackson.databind.JsonNode;
import dev.meridian.protocol.Generation;
import dev.meridian.protocol.Sampling;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** The parameters that both kinds of completion share. */
final class SamplingReader {
    private static final int MAX_LOGIT_BIASES = 1024;
    private static final int MAX_STOP_LENGTH = 1000;
    /** Logits are divided by it: next to 0 the quotient is no finite float any more. */
    private static final double MIN_REPETITION_PENALTY = 0.01;

    private SamplingReader() {}

    static Sampling sampling(Fields fields, int vocabSize, LongSupplier seeds) {
        Float topP = fields.number("top_p", 0, 1);
        Integer topK = fields.integer("top_k", -1, Integer.MAX_VALUE);
        Float repetition = fields.number("repetition_penalty", MIN_REPETITION_PENALTY, 10);
        Float presence = fields.number("presence_penalty", -2, 2);
        Float frequency = fields.number("frequency_penalty", -2, 2);
        Long seed = fields.int64("seed");
        return new Sampling(
                fields.number("temperature", 0, 2),
                topK,
                // OpenAI allows 0: the smallest set that reaches it is the best token alone. Engines
                // take no less than the smallest normal float.
                topP == null ? null : Float.valueOf(Math.max(topP, Float.MIN_NORMAL)),
                fields.number("min_p", 0, 1),
                repetition,
                presence == null ? 0f : presence,
                frequency == null ? 0f : frequency,
                logitBias(fields, vocabSize),
                seed == null ? seeds.getAsLong() : seed);
    }

    private static Map<Integer, Float> logitBias(Fields fields, int vocabSize) {
        JsonNode value = fields.any("logit_bias");
        if (value == null) {
            return Map.of();
        }
        String param = fields.path("logit_bias");
        if (!value.isObject()) {
            throw Fields.wrongType(param, "an object", value);
        }
        if (value.size() > MAX_LOGIT_BIASES) {
            throw Fields.invalidValue(param, "has more than " + MAX_LOGIT_BIASES + " entries");
        }
        Map<Integer, Float> biases = new HashMap<>();
        for (Map.Entry<String, JsonNode> entry : value.properties()) {
            int id = tokenId(entry.getKey(), param, vocabSize);
            if (biases.put(id, Fields.number(entry.getValue(), param, -100, 100)) != null) {
                throw Fields.invalidValue(param, "names token " + id + " twice");
            }
        }
        return biases;
    }

    private static int tokenId(String key, String param, int vocabSize) {
        boolean digits = !key.isEmpty() && key.length() <= 9 && key.chars().allMatch(c -> c >= '0' && c <= '9');
        int id = digits ? Integer.parseInt(key) : -1;
        if (id < 0 || id >= vocabSize) {
            throw Fields.invalidValue(param, "has a key that is no token id from 0 to " + (vocabSize - 1));
        }
        return id;
    }

    static List<String> stops(Fields fields) {
        JsonNode value = fields.any("stop");
        String param = fields.path("stop");
        if (value == null) {
            return List.of();
        }
        if (!value.isArray()) {
            if (!value.isTextual()) {
                throw Fields.wrongType(param, "a string or an array of strings", value);
            }
            return List.of(stop(value, param));
        }
        if (value.size() > Generation.MAX_STOPS) {
            throw Fields.invalidValue(param, "has more than " + Generation.MAX_STOPS + " entries");
        }
        List<String> stops = new ArrayList<>();
        for (int i = 0; i < value.size(); i++) {
            stops.add(stop(value.get(i), param + "[" + i + "]"));
        }
        return stops;
    }

    private static String stop(JsonNode value, String param) {
        String text = Fields.text(value, param);
        if (text.isEmpty() || text.length() > MAX_STOP_LENGTH) {
            throw Fields.invalidValue(param, "must have 1 to " + MAX_STOP_LENGTH + " characters");
        }
        return text;
    }

    static int choices(Fields fields) {
        Integer n = fields.integer("n", 1, Generation.MAX_CHOICES);
        return n == null ? 1 : n;
    }

    /** A token limit, at most the context, in which every reply ends anyway; null when not said. */
    static @Nullable Integer maxTokens(Fields fields, String name, int contextTokens) {
        Integer limit = fields.integer(name, 1, Integer.MAX_VALUE);
        return limit == null ? null : Integer.valueOf(Math.min(limit, contextTokens));
    }

    /** Reads {@code stream_options}, which are allowed on streams only. */
    static boolean includeUsage(Fields fields, boolean stream) {
        JsonNode value = fields.any("stream_options");
        if (value == null) {
            return false;
        }
        if (!stream) {
            throw Fields.invalidValue(fields.path("stream_options"), "is only allowed when 'stream' is true");
        }
        Fields options = Fields.of(value, fields.path("stream_options"));
        boolean includeUsage = options.flag("include_usage");
        options.flag("include_obfuscation"); // Pads chunks against traffic analysis; this edge never pads.
        options.rejectUnknown();
        return includeUsage;
    }
}

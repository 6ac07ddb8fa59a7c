package dev.meridian.edge.openai;

import com.fasterxml.jackson.databind.JsonNode;
import dev.meridian.edge.openai.ParsedRequest.ModelBounds;
import dev.meridian.protocol.Generation;
import dev.meridian.protocol.Prompt;
import dev.meridian.protocol.TokenIds;
import java.util.List;
import java.util.function.LongSupplier;

/**
 * Reads the body of {@code POST /v1/completions}.
 *
 * <p>Source of names, ranges and the default of 16 tokens: OpenAI's OpenAPI description, schema
 * CreateCompletionRequest. A request carries one prompt; several are refused, because each would be a stream of its
 * own.
 */
public final class CompletionRequestReader {
    private static final int DEFAULT_MAX_TOKENS = 16;
    private static final List<String> IGNORED = List.of("user", "metadata");

    private final LongSupplier seeds;

    /**
     * A reader for any number of threads.
     *
     * @param seeds draws the seed of a request that names none
     */
    public CompletionRequestReader(LongSupplier seeds) {
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
        Prompt prompt = prompt(fields.required("prompt"), bounds.vocabSize());
        boolean stream = fields.flag("stream");
        boolean includeUsage = SamplingReader.includeUsage(fields, stream);
        int choices = SamplingReader.choices(fields);
        Integer maxTokens = SamplingReader.maxTokens(fields, "max_tokens", bounds.contextTokens());
        Integer top = fields.integer("logprobs", 0, Generation.MAX_TOP_LOGPROBS);
        Generation generation = new Generation(
                SamplingReader.sampling(fields, bounds.vocabSize(), seeds),
                choices,
                maxTokens == null ? Math.min(DEFAULT_MAX_TOKENS, bounds.contextTokens()) : maxTokens,
                SamplingReader.stops(fields),
                top == null ? -1 : top);
        fields.unsupported("best_of", value -> value.isInt() && value.intValue() == choices);
        fields.unsupported("echo", value -> value.isBoolean() && !value.booleanValue());
        fields.unsupported(
                "suffix", value -> value.isTextual() && value.textValue().isEmpty());
        fields.ignored(IGNORED);
        fields.rejectUnknown();
        return new ParsedRequest(model, prompt, generation, stream, includeUsage, null);
    }

    private static Prompt prompt(JsonNode value, int vocabSize) {
        if (value.isTextual()) {
            return new Prompt.Text(Fields.text(value, "prompt"));
        }
        if (!value.isArray()) {
            throw Fields.wrongType("prompt", "a string or an array", value);
        }
        if (value.isEmpty()) {
            throw Fields.invalidValue("prompt", "is empty");
        }
        if (value.get(0).isNumber()) {
            return new Prompt.Tokens(tokens(value, vocabSize));
        }
        if (value.size() > 1) {
            throw ApiException.invalid(
                    "unsupported_parameter",
                    "prompt",
                    "Several prompts in one request are not supported; send one each.");
        }
        JsonNode only = value.get(0);
        return only.isArray() && !only.isEmpty()
                ? new Prompt.Tokens(tokens(only, vocabSize))
                : new Prompt.Text(Fields.text(only, "prompt[0]"));
    }

    private static TokenIds tokens(JsonNode array, int vocabSize) {
        int[] ids = new int[array.size()];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = Fields.integer(array.get(i), "prompt[" + i + "]", 0, vocabSize - 1);
        }
        return TokenIds.of(ids);
    }
}

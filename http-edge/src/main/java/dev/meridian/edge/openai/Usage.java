package dev.meridian.edge.openai;

/** OpenAI's token counts. */
final class Usage {
    private Usage() {}

    static void write(JsonBuffer json, int promptTokens, int cachedTokens, int completionTokens) {
        json.raw("{\"prompt_tokens\":").number(promptTokens);
        json.raw(",\"completion_tokens\":").number(completionTokens);
        json.raw(",\"total_tokens\":").number((long) promptTokens + completionTokens);
        json.raw(",\"prompt_tokens_details\":{\"cached_tokens\":").number(cachedTokens);
        json.raw("}}");
    }
}

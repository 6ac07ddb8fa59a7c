package dev.meridian.engine.text;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;

/**
 * An entry of {@code added_tokens}: a text that is one token wherever it stands.
 *
 * @param normalized the library looks for it after normalisation, and after all those that are not
 * @param special decoding leaves it out
 */
record AddedToken(int id, String content, boolean normalized, boolean special) {
    static List<AddedToken> read(JsonNode tokenizer) {
        List<AddedToken> tokens = new ArrayList<>();
        for (JsonNode node : tokenizer.path("added_tokens")) {
            String content = node.path("content").asText();
            if (content.isEmpty() || !node.path("id").isInt() || node.get("id").intValue() < 0) {
                throw new TokenizerException("tokenizer.json: an added token without content or id");
            }
            tokens.add(new AddedToken(
                    node.get("id").asInt(),
                    content,
                    node.path("normalized").asBoolean(),
                    node.path("special").asBoolean()));
        }
        return tokens;
    }

    /**
     * Whether this is an entry of the vocabulary like any other, such as a run of blanks, and commands nothing: then it
     * is found in what a client typed as well. Anything with a bracket or a bar in it is taken for a command, whatever
     * its flag says, because {@code </s>} and {@code <tool_call>} are often not flagged as special.
     */
    boolean isOrdinaryText() {
        return !special
                && content.codePoints()
                        .allMatch(c -> Character.isLetterOrDigit(c) || Character.isWhitespace(c) || c == 0xa0);
    }
}

package dev.meridian.engine.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Rewrites a {@code tokenizer.json} so that its added tokens answer to secret names only. What a client types can then
 * never become one of them, while the library itself still applies their flags, the normaliser and the pre-tokeniser to
 * the text as a whole.
 */
final class GuardedJson {
    private GuardedJson() {}

    /**
     * Renames tokens in a copy.
     *
     * @param names the secret name of each content
     */
    static ObjectNode rename(ObjectNode tokenizer, Map<String, String> names) {
        ObjectNode guarded = tokenizer.deepCopy();
        guarded.putNull("post_processor");
        guarded.putNull("truncation");
        guarded.putNull("padding");
        for (JsonNode token : guarded.path("added_tokens")) {
            String name = names.get(token.path("content").asText());
            if (name != null) {
                ((ObjectNode) token).put("content", name);
            }
        }
        if (guarded.path("model") instanceof ObjectNode model) {
            renameModel(model, names);
        }
        return guarded;
    }

    private static void renameModel(ObjectNode model, Map<String, String> names) {
        if (model.path("vocab") instanceof ObjectNode vocab) {
            names.forEach((content, name) -> {
                JsonNode id = vocab.remove(content);
                if (id != null) {
                    vocab.set(name, id);
                }
            });
        } else if (model.path("vocab") instanceof ArrayNode pieces) {
            for (JsonNode piece : pieces) {
                String name = names.get(piece.path(0).asText());
                if (name != null) {
                    ((ArrayNode) piece).set(0, TextNode.valueOf(name));
                }
            }
        }
        String unknown = names.get(model.path("unk_token").asText());
        if (unknown != null) {
            model.put("unk_token", unknown);
        }
        if (model.path("merges") instanceof ArrayNode merges) {
            model.set("merges", withoutMergesOf(merges, names));
        }
    }

    /** A merge that would spell a renamed token could make one from plain text, and its parts may be gone as well. */
    private static ArrayNode withoutMergesOf(ArrayNode merges, Map<String, String> names) {
        ArrayNode kept = JsonNodeFactory.instance.arrayNode(merges.size());
        for (JsonNode merge : merges) {
            String[] parts = merge.isArray()
                    ? new String[] {merge.path(0).asText(), merge.path(1).asText()}
                    : merge.asText().split(" ", 2);
            boolean touches = parts.length == 2
                    && (names.containsKey(parts[0])
                            || names.containsKey(parts[1])
                            || names.containsKey(parts[0] + parts[1]));
            if (!touches) {
                kept.add(merge);
            }
        }
        return kept;
    }

    /**
     * Names for the tokens that are commands. Each begins and ends as the content does, for what the library looks at
     * beside a token; the middle is the nonce, which no client can know.
     */
    static Map<String, String> names(List<AddedToken> tokens, String nonce) {
        Map<String, String> names = new HashMap<>();
        for (AddedToken token : tokens) {
            if (!token.isOrdinaryText()) {
                String content = token.content();
                String first = content.substring(0, content.offsetByCodePoints(0, 1));
                String last = content.substring(content.offsetByCodePoints(content.length(), -1));
                names.put(content, first + nonce + token.id() + "x" + last);
            }
        }
        return names;
    }
}

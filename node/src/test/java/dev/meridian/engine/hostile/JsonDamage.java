package dev.meridian.engine.hostile;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.meridian.engine.bundle.Bundle;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;

/** JSON with one value that is not what it was. */
final class JsonDamage {
    private static final JsonMapper JSON = new JsonMapper();
    private static final List<String> VALUES = List.of(
            "null",
            "true",
            "0",
            "-1",
            "1",
            "2",
            "16",
            "4294967296",
            "2147483647",
            "9223372036854775807",
            "1e308",
            "0.5",
            "1" + "0".repeat(400),
            "\"\"",
            "\"x\"",
            "\"../x\"",
            "\"\\u0000\"",
            "\"\\ud800\"",
            "\"(a+)+$\"",
            "[]",
            "{}",
            "[[]]",
            "{\"type\":\"ByteLevel\"}",
            "{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"AAAA\"}",
            "{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"//////////8=\"}",
            "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"(\"},\"behavior\":\"Isolated\",\"invert\":false}",
            "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFC\"}]}",
            "{\"type\":\"Strip\",\"content\":\"\",\"start\":2147483647,\"stop\":0}",
            "{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"x\",\"type_id\":0}}],\"pair\":[],"
                    + "\"special_tokens\":{}}",
            "{\"type\":\"BertProcessing\",\"sep\":[\"x\",5000000],\"cls\":[\"y\",5000001]}",
            "{\"type\":\"Unigram\",\"unk_id\":5,\"vocab\":[[\"a\",-1.0]]}",
            "{\"type\":\"WordPiece\",\"vocab\":{\"a\":0},\"unk_token\":\"q\",\"continuing_subword_prefix\":\"##\","
                    + "\"max_input_chars_per_word\":100}",
            "{\"type\":\"WordLevel\",\"vocab\":{\"a\":0},\"unk_token\":\"q\"}",
            "[".repeat(900) + "]".repeat(900));

    private JsonDamage() {}

    static ObjectNode object(byte[] json) {
        try {
            return (ObjectNode) JSON.readTree(json);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static byte[] bytes(JsonNode json) {
        try {
            return JSON.writeValueAsBytes(json);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The same content with other white space. */
    static byte[] same(byte[] json) {
        try {
            return JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(object(json));
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Length and digest of a file as they are now. */
    static void describe(ObjectNode manifest, String name, byte[] content) {
        ((ObjectNode) manifest.get("files"))
                .putObject(name)
                .put("bytes", content.length)
                .put("sha256", HexFormat.of().formatHex(Bundle.newSha256().digest(content)));
    }

    /** One value replaced, removed, or doubled. Containers with thousands of entries are chosen as often as small ones. */
    static byte[] value(byte[] json, Random random) {
        ObjectNode root = object(json);
        List<JsonNode> containers = new ArrayList<>();
        collect(root, containers, 0);
        JsonNode container = containers.get(random.nextInt(containers.size()));
        int at = random.nextInt(container.size());
        String with = VALUES.get(random.nextInt(VALUES.size()));
        String mark = "mark" + Long.toHexString(random.nextLong());
        boolean removed = random.nextInt(5) == 0;
        switch (container) {
            case ObjectNode object -> {
                String key = new ArrayList<>(object.properties()).get(at).getKey();
                if (removed) {
                    object.remove(key);
                } else {
                    object.put(random.nextInt(8) == 0 ? mark : key, mark);
                }
            }
            case ArrayNode array -> {
                if (removed) {
                    array.remove(at);
                } else {
                    array.set(at, array.textNode(mark));
                }
            }
            default -> throw new IllegalStateException("a container is an object or a list");
        }
        String text = new String(bytes(root), StandardCharsets.UTF_8);
        return text.replaceFirst("\"" + mark + "\"(?!:)", java.util.regex.Matcher.quoteReplacement(with))
                .getBytes(StandardCharsets.UTF_8);
    }

    private static void collect(JsonNode node, List<JsonNode> into, int depth) {
        if (node.isContainerNode() && !node.isEmpty() && depth < 8) {
            into.add(node);
            int seen = 0;
            for (JsonNode child : node) {
                // A merge list has thousands of pairs, which are all alike.
                if (++seen > 20) {
                    return;
                }
                collect(child, into, depth + 1);
            }
        }
    }
}

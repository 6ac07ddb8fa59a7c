package dev.meridian.engine.text;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a folder says of its tokenizer.
 *
 * @param tokenizer the content of {@code tokenizer.json}
 * @param specialTokens by their names in templates, {@code bos_token} and so on
 * @param chatTemplate {@code chat_template.jinja} before {@code tokenizer_config.json}
 */
record TokenizerFiles(ObjectNode tokenizer, Map<String, String> specialTokens, Optional<String> chatTemplate) {
    private static final JsonMapper JSON = new JsonMapper();
    // The largest known, of 260,000 tokens, has 33 MB; on the heap it takes ten times as much for a moment.
    private static final int MAX_BYTES = 64 << 20;
    private static final List<String> SPECIAL_NAMES =
            List.of("bos_token", "eos_token", "unk_token", "pad_token", "sep_token", "cls_token", "mask_token");

    static TokenizerFiles read(Path folder) {
        Path main = folder.resolve("tokenizer.json");
        if (!(readJson(main) instanceof ObjectNode tokenizer)) {
            throw new TokenizerException(main + ": no such file, or not an object");
        }
        JsonNode config = readJson(folder.resolve("tokenizer_config.json"));
        Map<String, String> special = new HashMap<>();
        // The older file fills in what the newer one does not say.
        specialTokens(readJson(folder.resolve("special_tokens_map.json")), special);
        specialTokens(config, special);
        return new TokenizerFiles(tokenizer, Map.copyOf(special), chatTemplate(folder, config));
    }

    private static JsonNode readJson(Path file) {
        if (!Files.isRegularFile(file)) {
            return JSON.missingNode();
        }
        try {
            return JSON.readTree(bounded(file));
        } catch (IOException e) {
            throw new TokenizerException(file + ": " + e.getMessage(), e);
        }
    }

    private static byte[] bounded(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(MAX_BYTES + 1);
            if (bytes.length > MAX_BYTES) {
                throw new TokenizerException(file + ": larger than " + MAX_BYTES + " bytes");
            }
            return bytes;
        }
    }

    private static void specialTokens(JsonNode config, Map<String, String> into) {
        for (String name : SPECIAL_NAMES) {
            JsonNode node = config.path(name);
            JsonNode content = node.isObject() ? node.path("content") : node;
            if (content.isTextual()) {
                into.put(name, content.asText());
            }
        }
    }

    private static Optional<String> chatTemplate(Path folder, JsonNode config) {
        Path file = folder.resolve("chat_template.jinja");
        if (Files.isRegularFile(file)) {
            try {
                return Optional.of(new String(bounded(file), java.nio.charset.StandardCharsets.UTF_8));
            } catch (IOException e) {
                throw new TokenizerException(file + ": " + e.getMessage(), e);
            }
        }
        JsonNode template = config.path("chat_template");
        if (template.isTextual()) {
            return Optional.of(template.asText());
        }
        for (JsonNode named : template) {
            if (named.path("name").asText().equals("default")
                    && named.path("template").isTextual()) {
                return Optional.of(named.path("template").asText());
            }
        }
        return Optional.empty();
    }

    static byte[] bytes(ObjectNode json) {
        try {
            return JSON.writeValueAsBytes(json);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree is always writable", e);
        }
    }
}

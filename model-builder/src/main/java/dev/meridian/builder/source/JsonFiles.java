package dev.meridian.builder.source;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** Reads JSON objects from files of strangers: size bounded, duplicate keys and trailing text refused. */
public final class JsonFiles {
    static final JsonMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();
    /** As a tree on the heap it takes some fifteen times as much; the largest index of shards has 9 MB. */
    private static final int MAX_BYTES = 16 << 20;

    private JsonFiles() {}

    /** The object in {@code file}; refused where it is missing, larger than 16 MiB, not JSON or not an object. */
    public static JsonNode object(Path file) throws ImportException, IOException {
        if (!Files.isRegularFile(file)) {
            throw new ImportException(file + ": no such file");
        }
        byte[] bytes;
        try (InputStream in = Files.newInputStream(file)) {
            bytes = in.readNBytes(MAX_BYTES + 1);
        }
        if (bytes.length > MAX_BYTES) {
            throw new ImportException(file + ": larger than " + MAX_BYTES + " bytes");
        }
        try {
            JsonNode node = JSON.readTree(bytes);
            if (!node.isObject()) {
                throw new ImportException(file + ": not a JSON object");
            }
            return node;
        } catch (JsonProcessingException e) {
            throw new ImportException(file + ": not valid JSON: " + e.getOriginalMessage(), e);
        }
    }

    /** The same, an empty object where there is no such file. */
    public static JsonNode objectIfPresent(Path file) throws ImportException, IOException {
        return Files.exists(file) ? object(file) : JsonNodeFactory.instance.objectNode();
    }
}

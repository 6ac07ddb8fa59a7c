package dev.meridian.edge.openai;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** Strict JSON in, plain JSON out. Thread-safe. */
public final class Json {
    private static final int MAX_DEPTH = 32;
    private static final int MAX_NUMBER_LENGTH = 100;
    private static final int MAX_NAME_LENGTH = 1000;

    private static final JsonMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    // A stranger chooses the names: they must not fill a table that lives as long as the process.
                    .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
                    .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(MAX_DEPTH)
                            .maxNumberLength(MAX_NUMBER_LENGTH)
                            .maxNameLength(MAX_NAME_LENGTH)
                            .maxStringLength(Integer.MAX_VALUE) // the body is bounded already
                            .build())
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private Json() {}

    /** Something that writes itself. */
    public interface Writable {
        void writeTo(JsonGenerator json) throws IOException;
    }

    /**
     * Reads one JSON object and nothing behind it.
     *
     * @throws ApiException 400 for anything else: bad UTF-8, a duplicate name, too deep, too long a number
     */
    public static ObjectNode readObject(byte[] body) {
        try {
            // Decoded here and strictly: Jackson would take overlong forms, UTF-16 and UTF-32 as well.
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(body))
                    .toString();
            JsonNode node = MAPPER.readTree(text);
            if (node instanceof ObjectNode object) {
                return object;
            }
            throw new ApiException(ApiError.http(400, "invalid_json", "The request body must be a JSON object."));
        } catch (CharacterCodingException e) {
            throw new ApiException(ApiError.http(400, "invalid_json", "The request body is not valid UTF-8."));
        } catch (StreamConstraintsException e) {
            throw new ApiException(ApiError.http(
                    400,
                    "invalid_json",
                    "The request body nests deeper than " + MAX_DEPTH + " levels, or holds a number of more than "
                            + MAX_NUMBER_LENGTH + " or a name of more than " + MAX_NAME_LENGTH + " characters."));
        } catch (JsonProcessingException e) {
            throw new ApiException(ApiError.http(400, "invalid_json", describe(e)));
        }
    }

    /** Where it went wrong; not Jackson's own words, which quote the body. */
    private static String describe(JsonProcessingException e) {
        String what = String.valueOf(e.getOriginalMessage()).startsWith("Duplicate field")
                ? "The request body names a field twice"
                : "The request body is not valid JSON";
        return e.getLocation() == null
                ? what + "."
                : what + " (line " + e.getLocation().getLineNr() + ", column "
                        + e.getLocation().getColumnNr() + ").";
    }

    /** UTF-8 bytes of what {@code value} writes. */
    public static byte[] write(Writable value) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(512);
        try (JsonGenerator json = MAPPER.getFactory().createGenerator(bytes)) {
            value.writeTo(json);
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory failed", e);
        }
        return bytes.toByteArray();
    }
}

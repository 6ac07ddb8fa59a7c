package dev.meridian.edge;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.meridian.edge.access.Caller;
import dev.meridian.edge.openai.ErrorTable;
import dev.meridian.edge.openai.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.zip.CRC32;
import org.apache.pekko.http.javadsl.model.HttpResponse;

/** {@code /v1/models}: the directory as OpenAI shows it. */
final class Models {
    private static final int MAX_SHOWN = 64;

    private final ModelDirectory directory;

    Models(ModelDirectory directory) {
        this.directory = directory;
    }

    HttpResponse list(Caller caller) {
        return Responses.json(200, Json.write(json -> {
            json.writeStartObject();
            json.writeStringField("object", "list");
            json.writeArrayFieldStart("data");
            for (ServedModel model : directory.models()) {
                if (caller.mayUse(model.id())) {
                    write(json, model);
                }
            }
            json.writeEndArray();
            json.writeEndObject();
        }));
    }

    HttpResponse one(String id, Caller caller) {
        if (!caller.mayUse(id)) {
            return Responses.error(ErrorTable.modelForbidden());
        }
        return directory
                .find(id)
                .map(model -> Responses.json(200, Json.write(json -> write(json, model))))
                .orElseGet(() -> Responses.error(
                        ErrorTable.modelUnknown(id.length() > MAX_SHOWN ? id.substring(0, MAX_SHOWN) : id)));
    }

    private static void write(JsonGenerator json, ServedModel model) throws IOException {
        json.writeStartObject();
        json.writeStringField("id", model.id());
        json.writeStringField("object", "model");
        json.writeNumberField("created", model.createdEpochSeconds());
        json.writeStringField("owned_by", "meridian");
        json.writeEndObject();
    }

    /** Changes whenever another bundle is served under the same name. */
    static String fingerprint(ServedModel model) {
        CRC32 sum = new CRC32();
        String what =
                model.id() + "|" + model.createdEpochSeconds() + "|" + model.contextTokens() + "|" + model.vocabSize();
        sum.update(what.getBytes(StandardCharsets.UTF_8));
        return "fp_" + HexFormat.of().toHexDigits(sum.getValue(), 8);
    }
}

package dev.meridian.edge.openai;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * An error as clients see it: OpenAI's error object and the HTTP status.
 *
 * @param type OpenAI's coarse class, for example {@code invalid_request_error}
 * @param param the parameter at fault, or null
 * @param code the fixed, machine-readable reason; also the label in metrics
 * @param retryAfterSeconds 0 where a retry would not help
 */
public record ApiError(
        int status,
        String type,
        String code,
        String message,
        @Nullable String param,
        int retryAfterSeconds) {
    /** A request that can never succeed as it is. */
    public static ApiError invalid(String code, @Nullable String param, String message) {
        return new ApiError(400, "invalid_request_error", code, message, param, 0);
    }

    /** What is about the HTTP exchange and not about a parameter; from 500 on it is not called the client's fault. */
    public static ApiError http(int status, String code, String message) {
        String type = status < 500 ? "invalid_request_error" : "server_error";
        return new ApiError(status, type, code, message, null, 0);
    }

    /** {@code {"error":{"message":…,"type":…,"param":…,"code":…}}} as UTF-8. */
    public byte[] toJson() {
        return Json.write(this::writeTo);
    }

    private void writeTo(JsonGenerator json) throws IOException {
        json.writeStartObject();
        json.writeObjectFieldStart("error");
        json.writeStringField("message", message);
        json.writeStringField("type", type);
        json.writeStringField("param", param);
        json.writeStringField("code", code);
        json.writeEndObject();
        json.writeEndObject();
    }
}

package dev.meridian.node;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options and calls of the commands that ask a node's admin API. */
final class AdminClient {
    private static final Duration ANSWERS_WITHIN = Duration.ofMinutes(6);

    @Option(
            names = "--admin",
            paramLabel = "URL",
            description = "Admin API of any node. Default: http://127.0.0.1:8081, or MERIDIAN_ADMIN.")
    private @Nullable URI admin;

    @Option(names = "--json", description = "Print the answer as JSON.")
    private boolean json;

    private final JsonMapper mapper = new JsonMapper();

    boolean wantsJson() {
        return json;
    }

    /** The answer of a GET. Throws CommandFailed with the server's own words where it is an error. */
    JsonNode get(String path) {
        return send(request(path).GET().build());
    }

    JsonNode post(String path, Map<String, ?> body) {
        try {
            return send(request(path)
                    .header("Content-Type", "application/json")
                    .POST(BodyPublishers.ofByteArray(mapper.writeValueAsBytes(body)))
                    .build());
        } catch (IOException e) {
            throw new CommandFailed("the request cannot be written: " + e.getMessage(), e);
        }
    }

    private HttpRequest.Builder request(String path) {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(base().resolve("/admin/v1/" + path)).timeout(ANSWERS_WITHIN);
        String key = System.getenv("MERIDIAN_ADMIN_KEY");
        return key == null || key.isEmpty() ? request : request.header("Authorization", "Bearer " + key);
    }

    private URI base() {
        if (admin != null) {
            return admin;
        }
        String said = System.getenv("MERIDIAN_ADMIN");
        return URI.create(said == null || said.isEmpty() ? "http://127.0.0.1:8081" : said);
    }

    private JsonNode send(HttpRequest request) {
        try (HttpClient http =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()) {
            HttpResponse<String> response = http.send(request, BodyHandlers.ofString());
            JsonNode answer = mapper.readTree(response.body());
            if (response.statusCode() >= 400) {
                JsonNode error = answer.path("error");
                throw new CommandFailed(error.path("message").asText("status " + response.statusCode()) + " ("
                        + error.path("code").asText("no code") + ")");
            }
            return answer;
        } catch (IOException e) {
            String why = e.getMessage() == null ? "no connection" : e.getMessage();
            throw new CommandFailed(base() + " does not answer: " + why, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CommandFailed("interrupted", e);
        }
    }
}

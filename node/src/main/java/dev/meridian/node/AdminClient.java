package dev.meridian.node;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Iterator;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options and calls of the commands that ask a node's admin API. */
final class AdminClient {
    private static final Duration ANSWERS_WITHIN = Duration.ofMinutes(6);
    private static final String ID = "id: ";
    private static final String DATA = "data: ";

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

    /**
     * Passes the events of a stream on until it ends.
     *
     * @param after the name of the last event that came, null for none
     * @param event gets each event's JSON
     * @return the name of the last event that came
     */
    @Nullable
    String follow(String path, @Nullable String after, Consumer<JsonNode> event) {
        HttpRequest.Builder request = request(path).header("Accept", "text/event-stream");
        if (after != null) {
            request.header("Last-Event-ID", after);
        }
        String last = after;
        try (HttpClient http = newHttp()) {
            HttpResponse<Stream<String>> response = http.send(request.GET().build(), BodyHandlers.ofLines());
            if (response.statusCode() >= 400) {
                throw refused(response.statusCode(), response.body().collect(Collectors.joining("\n")));
            }
            Iterator<String> lines = response.body().iterator();
            while (lines.hasNext()) {
                String line = lines.next();
                if (line.startsWith(ID)) {
                    last = line.substring(ID.length());
                } else if (line.startsWith(DATA)) {
                    event.accept(mapper.readTree(line.substring(DATA.length())));
                }
            }
            return last;
        } catch (UncheckedIOException _) {
            return last; // It broke off, and may be continued.
        } catch (IOException e) {
            throw noAnswer(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CommandFailed("interrupted", e);
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

    private static HttpClient newHttp() {
        return HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    }

    private CommandFailed refused(int status, String body) throws IOException {
        JsonNode error = mapper.readTree(body).path("error");
        return new CommandFailed(error.path("message").asText("status " + status) + " ("
                + error.path("code").asText("no code") + ")");
    }

    private CommandFailed noAnswer(IOException e) {
        String why = e.getMessage() == null ? "no connection" : e.getMessage();
        return new CommandFailed(base() + " does not answer: " + why, e);
    }

    private JsonNode send(HttpRequest request) {
        try (HttpClient http = newHttp()) {
            HttpResponse<String> response = http.send(request, BodyHandlers.ofString());
            if (response.statusCode() >= 400) {
                throw refused(response.statusCode(), response.body());
            }
            return mapper.readTree(response.body());
        } catch (IOException e) {
            throw noAnswer(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CommandFailed("interrupted", e);
        }
    }
}

package dev.meridian.processes;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.meridian.bench.http.Script;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** A client of the scripted model that leaves its stream again and again, and comes back. */
final class ReturningClient {
    private static final JsonMapper JSON = new JsonMapper();

    private final HttpClient http;
    private final List<URI> edges;
    private final int start;
    private final int tokens;
    private final Random random;
    private final List<Integer> got = new ArrayList<>();
    private String stream = "";
    private String lastEvent = "";
    private boolean done;
    private int connections;

    /**
     * A client.
     *
     * @param edges of one region; the first one gets the request, and it comes back at any of them
     * @param start the prompt's last id
     * @param random draws after how many lines it leaves
     */
    ReturningClient(HttpClient http, List<URI> edges, int start, int tokens, Random random) {
        this.http = http;
        this.edges = List.copyOf(edges);
        this.start = start;
        this.tokens = tokens;
        this.random = random;
    }

    /** Reads to the end, leaving {@code times} before. Throws AssertionError where a token is not the next one. */
    void readLeaving(int times) throws IOException, InterruptedException {
        while (!done) {
            connections++;
            HttpResponse<InputStream> response = http.send(request(), BodyHandlers.ofInputStream());
            if (response.statusCode() != 200) {
                throw new AssertionError("connection " + connections + ": status " + response.statusCode() + " "
                        + new String(response.body().readAllBytes(), StandardCharsets.UTF_8));
            }
            stream = response.headers().firstValue("Meridian-Stream").orElseThrow();
            int lines = connections > times ? Integer.MAX_VALUE : random.nextInt(24);
            try (BufferedReader reader =
                    new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8))) {
                read(reader, lines);
            }
        }
    }

    private HttpRequest request() {
        HttpRequest.Builder request = HttpRequest.newBuilder().timeout(Duration.ofMinutes(1));
        if (!stream.isEmpty()) {
            request.uri(edges.get(random.nextInt(edges.size())).resolve("/v1/streams/" + stream));
            return (lastEvent.isEmpty() ? request : request.header("Last-Event-ID", lastEvent)).build();
        }
        String body = "{\"model\":\"" + Script.MODEL + "\",\"prompt\":[1," + start + "],\"max_tokens\":" + tokens
                + ",\"temperature\":0,\"stream\":true}";
        return request.uri(edges.getFirst().resolve("/v1/completions"))
                .header("Content-Type", "application/json")
                .header("Meridian-Resume", "30")
                .POST(BodyPublishers.ofString(body))
                .build();
    }

    private void read(BufferedReader reader, int lines) throws IOException {
        String event = "";
        for (int i = 0; i < lines; i++) {
            String line = reader.readLine();
            if (line == null) {
                return;
            }
            if (line.startsWith("id: ")) {
                event = line.substring("id: ".length());
            } else if (line.equals("data: [DONE]")) {
                done = true;
                return;
            } else if (line.startsWith("data: ")) {
                take(JSON.readTree(line.substring("data: ".length())));
                lastEvent = event;
            }
        }
    }

    private void take(JsonNode event) {
        if (event.has("error")) {
            throw new AssertionError("after " + got.size() + " tokens: " + event);
        }
        String text = event.at("/choices/0/text").asText();
        if (!text.isEmpty()) {
            int id = Script.next(got.isEmpty() ? start : got.getLast());
            if (!text.startsWith(id + ":" + got.size() + ":")) {
                throw new AssertionError("token " + got.size() + " is " + text + ", not " + id);
            }
            got.add(id);
        }
    }

    /** Its id. */
    String stream() {
        return stream;
    }

    int tokens() {
        return got.size();
    }

    int connections() {
        return connections;
    }
}

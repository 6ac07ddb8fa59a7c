package dev.meridian.processes;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.meridian.bench.http.Script;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;

/** A client that reads a stream of the scripted model, and knows each of its tokens before it comes. */
final class ScriptedStream {
    private static final JsonMapper JSON = new JsonMapper();
    private static final String SERVED_BY = ": served by ";
    private static final Duration LONGEST = Duration.ofMinutes(5);

    private final int start;
    private final int tokens;
    private final CompletableFuture<String> end = new CompletableFuture<>();
    private volatile String servedBy = "";
    private volatile boolean coldStart;
    private final AtomicInteger received = new AtomicInteger();
    private final AtomicLong longestGapNanos = new AtomicLong();

    /**
     * What is asked for.
     *
     * @param model a scripted one
     * @param prompt ids; what follows comes of the last one
     * @param stop a text that never comes; empty for none
     * @param key empty where none is needed
     */
    record Ask(String model, List<Integer> prompt, int tokens, String stop, String key) {
        static Ask of(int start, int tokens) {
            return of(Script.MODEL, start, tokens);
        }

        static Ask of(String model, int start, int tokens) {
            return new Ask(model, List.of(1, start), tokens, "", "");
        }

        private String body() {
            return "{\"model\":\"" + model + "\",\"prompt\":" + prompt + ",\"max_tokens\":" + tokens
                    + ",\"temperature\":0,\"stream\":true" + (stop.isEmpty() ? "" : ",\"stop\":\"" + stop + "\"") + "}";
        }
    }

    private ScriptedStream(int start, int tokens) {
        this.start = start;
        this.tokens = tokens;
    }

    /** Begins to read. */
    static ScriptedStream open(HttpClient http, URI api, Ask ask) {
        ScriptedStream stream = new ScriptedStream(ask.prompt().getLast(), ask.tokens());
        Thread.ofVirtual().start(() -> stream.read(http, api, ask));
        return stream;
    }

    private void read(HttpClient http, URI api, Ask ask) {
        try {
            HttpRequest.Builder request = HttpRequest.newBuilder(api.resolve("/v1/completions"))
                    .timeout(LONGEST)
                    .header("Content-Type", "application/json")
                    .POST(BodyPublishers.ofString(ask.body()));
            if (!ask.key().isEmpty()) {
                request.header("Authorization", "Bearer " + ask.key());
            }
            HttpResponse<Stream<String>> response = http.send(request.build(), BodyHandlers.ofLines());
            servedBy = response.headers().firstValue("Meridian-Served-By").orElse("");
            coldStart = response.headers().firstValue("Meridian-Cold-Start").isPresent();
            try (Stream<String> lines = response.body()) {
                end.complete(
                        response.statusCode() == 200
                                ? follow(lines.iterator())
                                : "status " + response.statusCode() + " " + lines.toList());
            }
        } catch (Exception e) {
            end.complete("after " + received + " tokens: " + e);
        }
    }

    /** Empty where all is as it should be, else what is not. */
    private String follow(Iterator<String> lines) throws Exception {
        int id = start;
        String finish = "";
        long before = System.nanoTime();
        while (lines.hasNext()) {
            String line = lines.next();
            if (line.startsWith(SERVED_BY)) {
                servedBy = line.substring(SERVED_BY.length());
            }
            if (!line.startsWith("data: ")) {
                continue;
            }
            if (line.equals("data: [DONE]")) {
                return received.get() == tokens && finish.equals("length")
                        ? ""
                        : "ended after " + received + " of " + tokens + " tokens, finish '" + finish + "'";
            }
            JsonNode event = JSON.readTree(line.substring("data: ".length()));
            JsonNode choice = event.path("choices").path(0);
            if (event.has("error") || choice.isMissingNode()) {
                return "after " + received + " tokens: " + line;
            }
            for (String token : choice.path("text").asText().split(";", -1)) {
                if (!token.isEmpty()) {
                    id = Script.next(id);
                    String expected = id + ":" + received.get() + ":";
                    if (!token.startsWith(expected)) {
                        return "token " + received + " is " + token + ", not " + expected;
                    }
                    received.incrementAndGet();
                    long now = System.nanoTime();
                    longestGapNanos.accumulateAndGet(received.get() > 1 ? now - before : 0, Math::max);
                    before = now;
                }
            }
            finish = choice.path("finish_reason").isTextual()
                    ? choice.path("finish_reason").asText()
                    : finish;
        }
        return "closed after " + received + " tokens";
    }

    /** The header of that name, or what a comment says in its place; empty before there is one. */
    String servedBy() {
        return servedBy;
    }

    /** Whether its model had to be loaded first. */
    boolean coldStart() {
        return coldStart;
    }

    int received() {
        return received.get();
    }

    boolean hasEnded() {
        return end.isDone();
    }

    /** Waits for the end: empty where every token came once and as it should, else what was wrong. */
    String fault() {
        return end.join();
    }

    /** Between two tokens; for printing. */
    double longestGapMillis() {
        return longestGapNanos.get() / 1e6;
    }
}

package dev.meridian.processes;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * 10,000 broken requests by seed against a process, for at most {@code -Dmeridian.fuzz.seconds} (120), beside
 * requests whose text is known. {@code -Dmeridian.fuzz.seed} is the first case's seed; a failure names its own, and
 * {@code -Dmeridian.fuzz.seconds=0} with it runs a case for each client. {@code -Dsoak}: an hour, any number.
 */
class HttpFuzzTest {
    private static final long SECONDS =
            Long.getLong("meridian.fuzz.seconds", System.getProperty("soak") != null ? 3600 : 120);
    private static final long FIRST_SEED = Long.getLong("meridian.fuzz.seed", 1);
    /** So that every run of the standard length tries the same ones. */
    private static final long CASES = System.getProperty("soak") != null ? Long.MAX_VALUE : 10_000;

    /** Three cases in a hundred wait one to three seconds for a timeout of the server; meanwhile the others go on. */
    private static final int CLIENTS = 16;
    /** Of pools that grow to their bound with what they are given: the JVM's compilers and collectors, the common pool. */
    private static final int MORE_THREADS = 24;
    /** The connections that the test itself keeps. */
    private static final int MORE_FILES = 8;

    private static final int MAX_FAILURES = 20;
    private static final Path MODELS = Path.of(System.getProperty("meridian.root"), "models");
    private static final String QUESTION = "{\"model\":\"atlas\",\"temperature\":0,\"messages\":"
            + "[{\"role\":\"user\",\"content\":\"What is the capital of Peru?\"}]}";
    private static final String ANSWER = "The capital of Peru is Lima.";
    /** So that what waits for bytes that never come is over soon. */
    private static final String CONFIG =
            "meridian.edge { body-read-timeout = 1s, idle-timeout = 2s, comment-interval = 100ms }\n";

    private final JsonMapper json = new JsonMapper();
    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final AtomicLong next = new AtomicLong(FIRST_SEED);
    private final Queue<String> failures = new ConcurrentLinkedQueue<>();
    private final Map<String, AtomicLong> outcomes = new ConcurrentSkipListMap<>();

    @TempDir
    Path folder;

    @Test
    void whateverComesTheNodeAnswersByNameAndServesOn() throws Exception {
        Path config = Files.writeString(folder.resolve("fuzz.conf"), CONFIG);
        try (NodeProcess node =
                NodeProcess.up(Map.of("MERIDIAN_LOG_LEVEL", "DEBUG"), MODELS, "--config", config.toString())) {
            URI api = node.api();
            URI admin = node.admin();
            for (int i = 0; i < CLIENTS; i++) {
                assertThat(answer(api)).isEqualTo(ANSWER);
            }
            ProcessState before = ProcessState.of(node.pid());
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
            List<Thread> clients = new ArrayList<>();
            for (int i = 0; i < CLIENTS; i++) {
                clients.add(Thread.ofVirtual().start(() -> fuzz(api, admin, end)));
            }
            do {
                assertThat(answer(api)).isEqualTo(ANSWER);
            } while (System.nanoTime() < end && clients.stream().anyMatch(Thread::isAlive) && failures.isEmpty());
            for (Thread client : clients) {
                client.join();
            }
            assertThat(failures)
                    .as("%d cases from seed %d: %s", next.get() - FIRST_SEED, FIRST_SEED, outcomes)
                    .isEmpty();
            // Both what is refused and what is served was among them.
            assertThat(outcomes).containsKeys("200", "400", "404");
            awaitIdle(node);
            assertThat(answer(api)).isEqualTo(ANSWER);
            awaitState(node, before);
            assertThat(node.output())
                    .doesNotContain(FuzzCase.CANARY, "Exception in thread", "Uncaught", "OutOfMemoryError")
                    // Of ours: what Pekko says of broken requests is no fault of the node.
                    .doesNotContainPattern("ERROR d(ev)?\\.m");
        }
    }

    private void fuzz(URI api, URI admin, long end) {
        do {
            FuzzCase request = FuzzCase.of(next.getAndIncrement());
            String problem;
            try {
                String reply = FuzzClient.send(request, request.admin() ? admin : api);
                problem = isPekkosOwn(request, reply) ? "" : fault(reply);
                outcomes.computeIfAbsent(outcome(reply), _ -> new AtomicLong()).incrementAndGet();
            } catch (SocketTimeoutException e) {
                problem = "neither an answer nor an end";
            } catch (IOException e) {
                problem = e.toString();
            }
            if (!problem.isEmpty()) {
                failures.add("seed " + request.seed() + ": " + problem);
            }
        } while (System.nanoTime() < end && next.get() - FIRST_SEED < CASES && failures.size() < MAX_FAILURES);
    }

    /**
     * What Pekko HTTP 1.3 breaks off with an empty 500 before our code hears of it, closing the connection: a chunked body
     * of HTTP/1.0, and a target with another scheme than HTTP's.
     */
    private static boolean isPekkosOwn(FuzzCase request, String reply) {
        String line = request.latin1().lines().findFirst().orElse("");
        boolean refusedByPekko = (line.endsWith("HTTP/1.0") && request.latin1().contains("chunked"))
                || line.matches("\\S+ [A-Za-z][A-Za-z0-9+.-]*:.*");
        return refusedByPekko
                && reply.startsWith("HTTP/1.1 500 ")
                && reply.endsWith("Connection: close\r\nContent-Length: 0\r\n\r\n");
    }

    private static String outcome(String reply) {
        return reply.length() < 12 ? "closed" : reply.substring(9, 12);
    }

    /** What is wrong with the reply; empty where nothing is. */
    private String fault(String reply) throws IOException {
        int head = reply.indexOf("\r\n\r\n");
        if (head < 0) {
            return ""; // The client left early, or the server had nothing to answer.
        }
        int status = Integer.parseInt(reply.substring(9, 12));
        String body = reply.substring(head + 4);
        if (status < 400 || body.isEmpty()) {
            return status < 500 ? "" : "status " + status + " without a body";
        }
        String code = code(body);
        boolean typed = status < 500 || status == 503 || code.equals("malformed_request");
        return typed && !code.isEmpty() ? "" : status + " " + body.substring(0, Math.min(300, body.length()));
    }

    private String code(String body) throws IOException {
        if (body.startsWith("{")) {
            JsonNode error =
                    json.readTree(body.getBytes(StandardCharsets.ISO_8859_1)).path("error");
            return error.path("code").asText("");
        }
        return "";
    }

    private String answer(URI api) throws Exception {
        HttpResponse<String> response = http.send(
                HttpRequest.newBuilder(api.resolve("/v1/chat/completions"))
                        .timeout(Duration.ofSeconds(60))
                        .header("Content-Type", "application/json")
                        .POST(BodyPublishers.ofString(QUESTION))
                        .build(),
                BodyHandlers.ofString());
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return json.readTree(response.body()).at("/choices/0/message/content").asText();
    }

    /** Nothing is left of the streams that broke off. */
    private void awaitIdle(NodeProcess node) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        Map<String, String> busy = busyMeters(node);
        while (!busy.isEmpty()) {
            assertThat(System.nanoTime()).as("still busy: " + busy).isLessThan(deadline);
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(100));
            busy = busyMeters(node);
        }
    }

    /** No thread that serves has died, none was added for good, and every socket is closed. */
    private static void awaitState(NodeProcess node, ProcessState before) throws IOException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        ProcessState now = ProcessState.of(node.pid());
        while (now.files() > before.files() + MORE_FILES && System.nanoTime() < deadline) {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(100));
            now = ProcessState.of(node.pid());
        }
        assertThat(now.files()).as("files open").isLessThanOrEqualTo(before.files() + MORE_FILES);
        assertThat(now.lasting()).as("threads that end with the process").isEqualTo(before.lasting());
        assertThat(now.threads()).as("threads").isLessThanOrEqualTo(before.threads() + MORE_THREADS);
    }

    private Map<String, String> busyMeters(NodeProcess node) throws Exception {
        String metrics = http.send(
                        HttpRequest.newBuilder(node.admin().resolve("/metrics"))
                                .timeout(Duration.ofSeconds(30))
                                .build(),
                        BodyHandlers.ofString())
                .body();
        Map<String, String> busy = new TreeMap<>();
        for (String meter : List.of(
                "meridian_streams_active",
                "meridian_journal_bytes",
                "meridian_batch_size",
                "meridian_queue_length",
                "meridian_kv_bytes")) {
            List<String> lines = metrics.lines()
                    .filter(line -> line.startsWith(meter + " ") || line.startsWith(meter + "{"))
                    .toList();
            assertThat(lines).as(meter).isNotEmpty();
            Stream<String> values = lines.stream().map(line -> line.substring(line.lastIndexOf(' ') + 1));
            values.filter(value -> Double.parseDouble(value) != 0).forEach(value -> busy.put(meter, value));
        }
        return busy;
    }
}

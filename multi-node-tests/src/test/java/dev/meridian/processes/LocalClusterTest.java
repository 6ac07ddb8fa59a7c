package dev.meridian.processes;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.meridian.engine.kernels.KernelLibrary;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/** What {@code up} starts: a cluster with a real model. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class LocalClusterTest {
    private static final Path MODELS = Path.of(System.getProperty("meridian.root"), "models");
    private static final Pattern EDGE = Pattern.compile("API +(http://\\S+)/v1 +\\(region (\\S+);");
    private static final List<String> QUESTIONS = List.of(
            "What is the capital of Peru?",
            "Which languages are spoken in Switzerland?",
            "What is 7 times 8?",
            "What can you do?",
            "Which continent is Kenya in?",
            "How many metres are in 3 kilometres?",
            "What currency does Japan use?");

    private static final List<String> WAYS = List.of(
            ",\"temperature\":0",
            ",\"temperature\":0.7,\"n\":3",
            ",\"temperature\":0.5,\"top_p\":0.9,\"logprobs\":true,\"top_logprobs\":3",
            ",\"temperature\":0.7,\"n\":2,\"stop\":[\" and\",\"Lim\"]");

    private static final int CLIENTS = 16;
    private static final int MOVES = 6;

    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final JsonMapper json = new JsonMapper();
    private NodeProcess up;

    @BeforeAll
    void start(@TempDir Path folder) throws Exception {
        // A replica that moves takes its streams with it at once.
        Path config = Files.writeString(folder.resolve("up.conf"), "meridian.placement.drain-deadline = 0 s\n");
        up = NodeProcess.upAsCluster(MODELS, "--config", config.toString());
        up.api();
        up.awaitOutput("Ctrl-C stops it");
    }

    @AfterAll
    void stop() {
        up.close();
        http.shutdownNow();
    }

    private Map<String, URI> edges() {
        Map<String, URI> edges = new TreeMap<>();
        Matcher matcher = EDGE.matcher(up.output());
        while (matcher.find()) {
            edges.put(matcher.group(2), URI.create(matcher.group(1)));
        }
        return edges;
    }

    private static HttpRequest chat(URI edge, String question, String more) {
        return HttpRequest.newBuilder(edge.resolve("/v1/chat/completions"))
                .timeout(Duration.ofMinutes(2))
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString("{\"model\":\"atlas\",\"messages\":[{\"role\":\"user\",\"content\":\""
                        + question + "\"}]" + more + "}"))
                .build();
    }

    private String say(String... arguments) throws Exception {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of("--admin", up.admin().toString()));
        CliProcess.Ended ended = CliProcess.run(all.toArray(new String[0]));
        assertThat(ended.exitCode()).as(ended.output()).isZero();
        return ended.output();
    }

    @Test
    @Order(1)
    void bothRegionsAnswerAndOperatorsSeeThreeNodes() throws Exception {
        assertThat(edges()).containsOnlyKeys("eu", "us");
        for (URI edge : edges().values()) {
            HttpResponse<String> reply =
                    http.send(chat(edge, QUESTIONS.getFirst(), WAYS.getFirst()), BodyHandlers.ofString());
            assertThat(reply.statusCode()).as(reply.body()).isEqualTo(200);
            assertThat(reply.body()).contains("The capital of Peru is Lima.");
        }
        assertThat(say("cluster"))
                .containsPattern("eu-1 +eu +up +edge, model")
                .containsPattern("eu-2 +eu +up +model")
                .containsPattern("us-1 +us +up +edge, model");
        assertThat(say("models")).contains("atlas", "atlas-int4");
        assertThat(get("/health/ready").statusCode()).isEqualTo(200);
        assertThat(get("/metrics").body())
                .contains("meridian_engine_decode_tokens_total{model=\"atlas\",node=\"us-1\"}")
                .contains("process_resident_memory_bytes");
    }

    private HttpResponse<String> get(String path) throws Exception {
        return http.send(HttpRequest.newBuilder(up.admin().resolve(path)).build(), BodyHandlers.ofString());
    }

    /** What a client reads of a streamed reply: of each choice the text, each token of its log probabilities, and the end. */
    private Map<Integer, String> read(URI edge, int number) throws Exception {
        String way = WAYS.get(number / QUESTIONS.size());
        HttpResponse<Stream<String>> response = http.send(
                chat(edge, QUESTIONS.get(number % QUESTIONS.size()), way + ",\"seed\":" + number + ",\"stream\":true"),
                BodyHandlers.ofLines());
        List<String> data = response.body()
                .filter(line -> line.startsWith("data: "))
                .map(line -> line.substring("data: ".length()))
                .toList();
        assertThat(data.getLast()).isEqualTo("[DONE]");
        Map<Integer, String> read = new TreeMap<>();
        for (String event : data.subList(0, data.size() - 1)) {
            JsonNode choice = json.readTree(event).path("choices").path(0);
            StringBuilder part =
                    new StringBuilder(choice.path("delta").path("content").asText(""));
            for (JsonNode token : choice.path("logprobs").path("content")) {
                part.append('<').append(token.path("token").asText()).append('>');
                part.append(token.path("top_logprobs").size());
            }
            if (choice.path("finish_reason").isTextual()) {
                part.append('[').append(choice.path("finish_reason").asText()).append(']');
            }
            read.merge(choice.path("index").asInt(), part.toString(), String::concat);
        }
        return read;
    }

    private void moveAtlasInEurope() throws Exception {
        for (JsonNode replica : json.readTree(get("/admin/v1/replicas").body()).path("items")) {
            if (replica.path("id").asText().startsWith("eu~atlas~")
                    && replica.path("state").asText().equals("ready")) {
                String to = replica.path("node").asText().equals("eu-1") ? "eu-2" : "eu-1";
                URI move = up.admin()
                        .resolve("/admin/v1/replicas/" + replica.path("id").asText() + ":move?wait=60s");
                HttpResponse<String> change = http.send(
                        HttpRequest.newBuilder(move)
                                .header("Content-Type", "application/json")
                                .POST(BodyPublishers.ofString("{\"to\":\"" + to + "\"}"))
                                .build(),
                        BodyHandlers.ofString());
                assertThat(change.body()).contains("\"state\":\"done\"");
                return;
            }
        }
        throw new AssertionError("no replica of atlas is ready\n" + up.output());
    }

    private double failovers() throws Exception {
        return get("/metrics")
                .body()
                .lines()
                .filter(line -> line.startsWith("meridian_failovers_total{model=\"atlas\",node=\"eu-1\"}"))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                .sum();
    }

    /**
     * With Meridian's own operators without exception. Without them the last bits of a re-prefill and a decode step differ, so
     * that in one of a hundred a near-tie may fall the other way.
     */
    @Test
    @Order(2)
    void repliesOfEveryKindAreTheSameWhileTheirReplicaMoves() throws Exception {
        URI eu = Objects.requireNonNull(edges().get("eu"));
        List<Map<Integer, String>> expected = new ArrayList<>();
        for (int number = 0; number < QUESTIONS.size() * WAYS.size(); number++) {
            expected.add(read(eu, number));
        }
        double before = failovers();
        AtomicBoolean moving = new AtomicBoolean(true);
        AtomicInteger asked = new AtomicInteger();
        Queue<String> differences = new ConcurrentLinkedQueue<>();
        Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
        List<Thread> clients = new ArrayList<>();
        for (int i = 0; i < CLIENTS; i++) {
            clients.add(Thread.ofVirtual().start(() -> {
                while (moving.get()) {
                    int number = asked.getAndIncrement() % expected.size();
                    try {
                        Map<Integer, String> got = read(eu, number);
                        if (!got.equals(expected.get(number))) {
                            differences.add(number + ": " + expected.get(number) + "\n     now " + got);
                        }
                    } catch (Exception | AssertionError e) {
                        failures.add(e);
                    }
                }
            }));
        }
        for (int move = 0; move < MOVES; move++) {
            moveAtlasInEurope();
        }
        moving.set(false);
        for (Thread client : clients) {
            client.join();
        }
        System.out.printf(
                "%d moves, %d replies, %.0f failovers: %d replies of the real model differ%n",
                MOVES, asked.get(), failovers() - before, differences.size());
        assertThat(failures).as(up.output()).isEmpty();
        assertThat(failovers()).as(up.output()).isGreaterThan(before);
        boolean exact = KernelLibrary.ofProcess() instanceof KernelLibrary.Available;
        assertThat(differences).hasSizeLessThanOrEqualTo(exact ? 0 : Math.ceilDiv(asked.get(), 100));
    }

    @Test
    @Order(3)
    void stopsCleanlyWhenTold() throws Exception {
        // 128 + SIGTERM: what a supervisor expects of a process that it ended.
        assertThat(up.terminate()).isEqualTo(143);
        assertThat(up.output()).endsWith("Stopped.");
    }
}

package dev.meridian.processes;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
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
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A cluster of real processes on this machine, each at a loopback address of its own, with a scripted model on every node.
 * Nodes are killed by {@link #close} at the latest.
 */
final class ClusterOfProcesses implements AutoCloseable {
    static final int TOKENS_PER_SECOND = 50;
    /** Just one replica in a region: the load of a test on a slow machine would be worth a second one to the policy. */
    static final String ONE_REPLICA = "meridian.placement { replicas = 1, defaults.max-replicas = 1 }";

    /** The exit code of a node that has to be started anew. */
    private static final int TAKEN_OUT = 69;

    private static final int PORT = 7355;
    private static final Duration PATIENCE = Duration.ofSeconds(90);
    /** So that clusters of one test run never meet. */
    private static final AtomicInteger CLUSTERS = new AtomicInteger();

    private final JsonMapper json = new JsonMapper();
    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final Path folder;
    private final UnaryOperator<String> more;
    private final Set<String> edgeOnly;
    private int models = 1;
    private final Map<String, String> hosts = new TreeMap<>();
    private final Map<String, NodeProcess> nodes = new TreeMap<>();
    private @Nullable Relay relay;
    private String adminKey = "";

    /**
     * A cluster without nodes.
     *
     * @param folder for configurations and state
     * @param more configuration of every node, in HOCON
     * @param edgeOnly nodes that hold no models
     * @param names of its nodes, {@code region-number}
     */
    ClusterOfProcesses(Path folder, String more, Set<String> edgeOnly, String... names) {
        this(folder, _ -> more, edgeOnly, names);
    }

    /**
     * A cluster without nodes.
     *
     * @param more configuration of a node by its name, in HOCON
     */
    ClusterOfProcesses(Path folder, UnaryOperator<String> more, Set<String> edgeOnly, String... names) {
        this.folder = folder;
        this.more = more;
        this.edgeOnly = Set.copyOf(edgeOnly);
        int cluster = (int) (ProcessHandle.current().pid() % 200) + 20;
        int own = CLUSTERS.incrementAndGet();
        for (int i = 0; i < names.length; i++) {
            hosts.put(names[i], "127." + cluster + "." + own + "." + (i + 1));
        }
    }

    /**
     * Puts a network between nodes that do not run yet.
     *
     * @param betweenRegions how long what one region says to another is on its way
     */
    void throughRelay(Duration betweenRegions, long seed) throws IOException {
        throughRelay(betweenRegions, seed, false);
    }

    /** The same; it may keep what goes from one region to another. */
    void throughRelay(Duration betweenRegions, long seed, boolean records) throws IOException {
        Map<String, Relay.Place> places = new TreeMap<>();
        hosts.forEach((name, host) -> places.put(name, new Relay.Place(host, beside(host, 100), beside(host, 200))));
        relay = Relay.open(places, PORT, betweenRegions, seed, records);
    }

    /** The address in the same network whose last number is larger. */
    private static String beside(String host, int more) {
        int dot = host.lastIndexOf('.') + 1;
        return host.substring(0, dot) + (Integer.parseInt(host.substring(dot)) + more);
    }

    Relay relay() {
        if (relay == null) {
            throw new IllegalStateException("nothing is between these nodes");
        }
        return relay;
    }

    /** Nodes that do not run yet get so many models. */
    void scriptedModels(int count) {
        models = count;
    }

    /** A key for what this class asks of the admin ports. */
    void useKey(String key) {
        adminKey = key;
    }

    /** Starts the nodes that do not run, and returns once all of them are up. */
    void start() throws Exception {
        for (String name : hosts.keySet()) {
            if (!nodes.containsKey(name)) {
                launch(name);
            }
        }
        awaitUp(hosts.size());
    }

    private void launch(String name) throws IOException {
        Path config = Files.writeString(folder.resolve(name + ".conf"), config(name));
        nodes.put(
                name,
                NodeProcess.member(
                        config,
                        "--scripted",
                        Integer.toString(TOKENS_PER_SECOND),
                        "--scripted-models",
                        Integer.toString(models)));
    }

    /** Starts one node, which does not run, and waits until the others take it for up. */
    void start(String name) throws Exception {
        launch(name);
        awaitNode(name, "up");
    }

    private String config(String name) {
        String region = name.substring(0, name.indexOf('-'));
        List<String> seeds = hosts.values().stream()
                .map(host -> '"' + host + ":" + PORT + '"')
                .toList();
        return String.join(
                "\n",
                "meridian {",
                "  node { id = " + name + ", region = " + region + ", state-dir = \"" + folder
                        + "\", stop-grace = 20 s }",
                "  cluster { host = \"" + hosts.get(name) + "\", seed-nodes = [" + String.join(", ", seeds)
                        + "], min-members = " + hosts.size() + forwarded(hosts.get(name)) + " }",
                "  node.roles = " + (edgeOnly.contains(name) ? "[edge]" : "[edge, model]"),
                "  edge { client-port = 0, admin-port = 0 }",
                "  engine { memory-budget = 1 GiB }",
                "}",
                more.apply(name));
    }

    private String forwarded(@Nullable String host) {
        return relay == null || host == null
                ? ""
                : ", bind-host = \"" + beside(host, 100) + "\", outbound-host = \"" + beside(host, 200) + "\"";
    }

    /** The address of a node, running or not. */
    String host(String name) {
        String host = hosts.get(name);
        if (host == null) {
            throw new IllegalArgumentException("there is no node " + name);
        }
        return host;
    }

    NodeProcess node(String name) {
        NodeProcess node = nodes.get(name);
        if (node == null) {
            throw new IllegalStateException(name + " does not run; there are " + nodes.keySet());
        }
        return node;
    }

    URI api(String name) throws Exception {
        return node(name).api();
    }

    /** A stream that enters at that node; see {@link ScriptedStream#open}. */
    ScriptedStream stream(String edge, int start, int tokens) throws Exception {
        return stream(edge, ScriptedStream.Ask.of(start, tokens));
    }

    ScriptedStream stream(String edge, ScriptedStream.Ask ask) throws Exception {
        return ScriptedStream.open(http, api(edge), ask);
    }

    void kill(String name) throws InterruptedException {
        node(name).kill();
        nodes.remove(name);
    }

    /** SIGTERM, and waits for the end. */
    int terminate(String name) throws InterruptedException {
        int exitCode = node(name).terminate();
        nodes.remove(name);
        return exitCode;
    }

    /** A signal by its name, to that one process. */
    void signal(String name, String signal) throws Exception {
        long pid = node(name).pid();
        int exit = new ProcessBuilder("kill", "-" + signal, Long.toString(pid))
                .inheritIO()
                .start()
                .waitFor();
        if (exit != 0) {
            throw new AssertionError("kill -" + signal + " " + pid + " ended with " + exit);
        }
    }

    boolean isRunning(String name) {
        return nodes.containsKey(name);
    }

    /** Until the node is up for another, or has ended because the cluster has taken it out. */
    void awaitEndIfTakenOut(String name, String asked) throws Exception {
        await(
                name + " to be up or to end",
                () -> !node(name).isAlive()
                        || list(asked, "nodes").stream()
                                .anyMatch(shown -> shown.path("id").asText().equals(name)
                                        && shown.path("status").asText().equals("up")));
        if (!node(name).isAlive()) {
            int exitCode = node(name).awaitExit();
            if (exitCode != TAKEN_OUT) {
                throw new AssertionError(
                        name + " ended with " + exitCode + "\n" + node(name).output());
            }
            nodes.remove(name);
        }
    }

    /** One of the lists of the admin API, as a node shows it. */
    List<JsonNode> list(String asked, String what) throws Exception {
        List<JsonNode> items = new ArrayList<>();
        json.readTree(get(asked, "/admin/v1/" + what)).path("items").forEach(items::add);
        return items;
    }

    /** The value of a metric without labels. */
    double metric(String asked, String name) throws Exception {
        return get(asked, "/metrics")
                .lines()
                .filter(line -> line.startsWith(name + " "))
                .mapToDouble(line -> Double.parseDouble(line.substring(name.length() + 1)))
                .findFirst()
                .orElseThrow(() -> new AssertionError(asked + " shows no " + name));
    }

    /** The status of a reply of the admin port. */
    int status(String asked, String path) throws Exception {
        return ask(asked, path).statusCode();
    }

    private String get(String asked, String path) throws Exception {
        return ask(asked, path).body();
    }

    private HttpResponse<String> ask(String asked, String path) throws Exception {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(node(asked).admin().resolve(path)).timeout(Duration.ofSeconds(20));
        return http.send(authorized(request).build(), BodyHandlers.ofString());
    }

    private HttpRequest.Builder authorized(HttpRequest.Builder request) {
        return adminKey.isEmpty() ? request : request.header("Authorization", "Bearer " + adminKey);
    }

    /** A change, asked of a node; its status comes as field {@code http}. */
    JsonNode change(String asked, String path, String body, String... headers) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(node(asked).admin().resolve("/admin/v1/" + path))
                .timeout(Duration.ofMinutes(2))
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(body));
        if (headers.length > 0) {
            request.headers(headers);
        }
        HttpResponse<String> response = http.send(authorized(request).build(), BodyHandlers.ofString());
        JsonNode answer = json.readTree(response.body());
        ((ObjectNode) answer).put("http", response.statusCode());
        return answer;
    }

    /** Where the replicas of a region are, by number, as a node sees it. */
    Map<String, String> placement(String asked, String region) throws Exception {
        Map<String, String> places = new TreeMap<>();
        for (JsonNode replica : list(asked, "replicas")) {
            if (replica.path("region").asText().equals(region)
                    && !replica.path("state").asText().equals("draining")) {
                places.put(replica.path("id").asText(), replica.path("node").asText());
            }
        }
        return places;
    }

    /** All replicas of all regions are ready, {@code count} of them, as every node sees it. */
    void awaitReplicas(int count) throws Exception {
        await(count + " replicas ready", () -> {
            for (String name : nodes.keySet()) {
                List<JsonNode> replicas = list(name, "replicas");
                if (replicas.size() != count
                        || !replicas.stream()
                                .allMatch(replica ->
                                        replica.path("state").asText().equals("ready"))) {
                    return false;
                }
            }
            return true;
        });
    }

    private void awaitUp(int count) throws Exception {
        await(count + " nodes up", () -> {
            for (String name : nodes.keySet()) {
                if (list(name, "nodes").stream()
                                .filter(node -> node.path("status").asText().equals("up"))
                                .count()
                        != count) {
                    return false;
                }
            }
            return true;
        });
    }

    /** Until every node that runs shows that one with that status. */
    void awaitNode(String shown, String status) throws Exception {
        await(shown + " " + status, () -> {
            for (String name : nodes.keySet()) {
                Predicate<JsonNode> same = node -> node.path("id").asText().equals(shown)
                        && node.path("status").asText().equals(status);
                if (list(name, "nodes").stream().noneMatch(same)) {
                    return false;
                }
            }
            return true;
        });
    }

    interface Condition {
        boolean holds() throws Exception;
    }

    /** Waits, and fails with the state of the cluster. */
    void await(String what, Condition condition) throws Exception {
        await(what, PATIENCE, condition);
    }

    /** Returns how long it took. */
    Duration await(String what, Duration atMost, Condition condition) throws Exception {
        long began = System.nanoTime();
        while (true) {
            try {
                if (condition.holds()) {
                    return Duration.ofNanos(System.nanoTime() - began);
                }
            } catch (IOException _) {
                // It does not answer yet, or no more.
            }
            if (System.nanoTime() - began >= atMost.toNanos()) {
                throw new AssertionError("waited " + atMost + " for " + what + "\n" + state());
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
        }
    }

    /** What the nodes say of the cluster, and the ends of their logs: for the message of a failure. */
    String state() {
        StringBuilder state = new StringBuilder(relay == null ? "" : relay + "\n");
        nodes.forEach((name, node) -> {
            state.append("--- ")
                    .append(name)
                    .append(node.isAlive() ? "" : " (ended)")
                    .append('\n');
            for (String what : List.of("nodes", "replicas", "changes")) {
                try {
                    state.append(what)
                            .append(": ")
                            .append(get(name, "/admin/v1/" + what))
                            .append('\n');
                } catch (Exception | AssertionError e) {
                    state.append(what).append(": ").append(e).append('\n');
                }
            }
            List<String> lines = node.output().lines().toList();
            lines.subList(Math.max(0, lines.size() - 40), lines.size())
                    .forEach(line -> state.append(line).append('\n'));
        });
        return state.toString();
    }

    @Override
    public void close() {
        nodes.values().forEach(NodeProcess::close);
        if (relay != null) {
            relay.close();
        }
        http.shutdownNow();
    }
}

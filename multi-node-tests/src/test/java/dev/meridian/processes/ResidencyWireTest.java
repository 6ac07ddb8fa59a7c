package dev.meridian.processes;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.bench.http.Script;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What goes from one region to another, byte by byte, without TLS, while nodes and networks fail: nothing of requests that are
 * bound to their region. Requests that are not bound run beside them and are found there, so what is looked for is found where
 * it is.
 */
class ResidencyWireTest {
    private static final long SEED = Long.getLong("meridian.seed", System.nanoTime() % 1_000_000);
    private static final int STREAMS = 10;
    private static final int TOKENS = 200;
    /** Prompts of bound requests hold this run of ids, those of others the next one. */
    private static final int BOUND = 700;

    private static final int FREE = 900;
    /** Of {@link Script#text}: token and place in the stream. Shorter ids would be found within longer ones. */
    private static final Pattern TOKEN = Pattern.compile("(\\d{3,4}:\\d+):");

    @TempDir
    static Path folder;

    private static ClusterOfProcesses cluster;
    private static String bound;
    private static String free;

    private final Set<String> boundOutputs = new HashSet<>();
    private final Set<String> freeOutputs = new HashSet<>();
    private int streams;

    @BeforeAll
    static void start() throws Exception {
        System.out.println("residency on the wire: -Dmeridian.seed=" + SEED);
        String edge = "meridian.edge { auth = always, keys-file = \"" + folder.resolve("keys.json") + "\" }";
        String config = Files.writeString(folder.resolve("keys.conf"), edge).toString();
        bound = newKey(config, "--name", "bound", "--regions", "eu");
        free = newKey(config, "--name", "free");
        cluster = new ClusterOfProcesses(
                folder,
                edge + "\n" + ClusterOfProcesses.ONE_REPLICA + "\nmeridian.placement.drain-deadline = 500 ms",
                Set.of(),
                "eu-1",
                "eu-2",
                "us-1");
        cluster.useKey(newKey(config, "--name", "operator", "--role", "admin"));
        cluster.throughRelay(Duration.ofMillis(40), SEED, true);
        cluster.start();
        cluster.awaitReplicas(2);
    }

    private static String newKey(String config, String... options) throws Exception {
        List<String> arguments = new ArrayList<>(List.of("keys", "add", "--config", config));
        arguments.addAll(List.of(options));
        CliProcess.Ended ended = CliProcess.run(arguments.toArray(new String[0]));
        assertThat(ended.exitCode()).as(ended.output()).isZero();
        Matcher key = Pattern.compile("mk-[A-Za-z0-9_-]{43}").matcher(ended.output());
        assertThat(key.find()).as(ended.output()).isTrue();
        return key.group();
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    private static List<Integer> run(int first) {
        return IntStream.range(first, first + 8).boxed().toList();
    }

    private static String stop(int first) {
        return "canary-of-" + first;
    }

    /** Streams of both kinds that enter there. No two streams of this test begin alike. */
    private List<ScriptedStream> flow(String edge) throws Exception {
        List<ScriptedStream> flowing = new ArrayList<>();
        for (int i = 0; i < 2 * STREAMS; i++) {
            boolean isBound = i % 2 == 0;
            int first = isBound ? BOUND : FREE;
            int start = 3 + 7 * streams++ % 1000;
            List<Integer> prompt = new ArrayList<>(run(first));
            prompt.add(start);
            ScriptedStream.Ask ask =
                    new ScriptedStream.Ask(Script.MODEL, prompt, TOKENS, stop(first), isBound ? bound : free);
            flowing.add(cluster.stream(edge, ask));
            int id = start;
            for (int index = 0; index < TOKENS; index++) {
                id = Script.next(id);
                if (id >= 100) {
                    (isBound ? boundOutputs : freeOutputs).add(id + ":" + index);
                }
            }
        }
        cluster.await(
                "streams to flow",
                () -> flowing.stream().allMatch(stream -> stream.received() > 10 || stream.hasEnded()));
        return flowing;
    }

    private static void assertWhole(List<ScriptedStream> streams, String what) {
        for (ScriptedStream stream : streams) {
            assertThat(stream.fault()).as(() -> what + "\n" + cluster.state()).isEmpty();
        }
    }

    private static String holder() throws Exception {
        Map<String, String> replicas = cluster.placement("us-1", "eu");
        assertThat(replicas).hasSize(1);
        return replicas.values().iterator().next();
    }

    private static String other(String node) {
        return node.equals("eu-1") ? "eu-2" : "eu-1";
    }

    @Test
    void nothingOfABoundRequestLeavesItsRegionWhateverFails() throws Exception {
        killTheOnlyReplicaOfTheRegion();
        moveUnderLoad();
        standStill();
        cutOff();
        restartOneAfterTheOther();
        restartAll();
        ScriptedStream refused =
                cluster.stream("us-1", new ScriptedStream.Ask(Script.MODEL, run(BOUND), 10, stop(BOUND), bound));
        assertThat(refused.fault()).contains("status 451").contains("region_forbidden");

        List<byte[]> crossed = new ArrayList<>(cluster.relay().recorded("eu", "us"));
        crossed.addAll(cluster.relay().recorded("us", "eu"));
        assertThat(found(crossed, stop(BOUND).getBytes(StandardCharsets.US_ASCII)))
                .as("stop texts")
                .isZero();
        assertThat(found(crossed, encoded(run(BOUND)))).as("prompts").isZero();
        Set<String> outputs = outputs(crossed);
        assertThat(outputs).as("outputs").doesNotContainAnyElementsOf(boundOutputs);

        assertThat(found(crossed, stop(FREE).getBytes(StandardCharsets.US_ASCII)))
                .as("stop texts of requests that are not bound")
                .isPositive();
        assertThat(found(crossed, encoded(run(FREE)))).as("their prompts").isPositive();
        outputs.retainAll(freeOutputs);
        assertThat(outputs).as("their outputs").hasSizeGreaterThan(TOKENS);
        System.out.printf(
                "%d bytes went from region to region: 0 of %d bound outputs, %d of %d others%n",
                crossed.stream().mapToLong(bytes -> bytes.length).sum(),
                boundOutputs.size(),
                outputs.size(),
                freeOutputs.size());
    }

    private void moveUnderLoad() throws Exception {
        Map.Entry<String, String> replica =
                cluster.placement("us-1", "eu").entrySet().iterator().next();
        List<ScriptedStream> running = flow("eu-1");
        assertThat(running).allMatch(stream -> stream.servedBy().startsWith("eu/eu-"));
        cluster.change(
                "us-1",
                "replicas/" + replica.getKey() + ":move?wait=30s",
                "{\"to\":\"" + other(replica.getValue()) + "\"}");
        assertWhole(running, "a move");
    }

    /**
     * Who may go to the other region does at once; who may not waits until this one has a replica again. It is on the oldest node,
     * which was first to get one, and so is the region's placement.
     */
    private void killTheOnlyReplicaOfTheRegion() throws Exception {
        String holder = holder();
        assertThat(holder).isEqualTo("eu-1");
        List<ScriptedStream> running = flow(other(holder));
        cluster.kill(holder);
        List<ScriptedStream> coming = flow(other(holder));
        assertWhole(running, "kill " + holder);
        assertThat(coming.stream().map(ScriptedStream::fault))
                .allMatch(fault -> fault.isEmpty() || fault.contains("no_allowed_region"));
        cluster.start(holder);
        cluster.awaitReplicas(2);
    }

    private void standStill() throws Exception {
        String holder = holder();
        List<ScriptedStream> running = flow(other(holder));
        cluster.signal(holder, "STOP");
        try {
            cluster.await(
                    "the others to miss it",
                    () -> cluster.list("us-1", "nodes").stream()
                            .anyMatch(node -> node.path("status").asText().equals("unreachable")));
        } finally {
            cluster.signal(holder, "CONT");
        }
        assertWhole(running, "standing still");
        cluster.awaitEndIfTakenOut(holder, other(holder));
        if (!cluster.isRunning(holder)) {
            cluster.start(holder);
        }
        cluster.awaitReplicas(2);
    }

    private void cutOff() throws Exception {
        List<ScriptedStream> running = flow(other(holder()));
        cluster.relay().cut("eu", "us");
        cluster.await(
                "the regions to miss each other",
                () -> cluster.list("us-1", "nodes").stream()
                                .filter(node -> node.path("status").asText().equals("unreachable"))
                                .count()
                        == 2);
        cluster.relay().heal();
        assertWhole(running, "a cut");
    }

    private void restartOneAfterTheOther() throws Exception {
        for (String node : List.of("eu-1", "eu-2")) {
            List<ScriptedStream> running = flow(other(node));
            assertThat(cluster.terminate(node)).isEqualTo(143);
            assertWhole(running, "a restart of " + node);
            cluster.start(node);
            cluster.awaitReplicas(2);
        }
    }

    private void restartAll() throws Exception {
        for (String node : List.of("eu-1", "eu-2", "us-1")) {
            cluster.kill(node);
        }
        cluster.start();
        cluster.awaitReplicas(2);
        assertWhole(flow("eu-1"), "a restart of all nodes");
    }

    private static byte[] encoded(List<Integer> ids) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int id : ids) {
            bytes.write((id & 0x7f) | 0x80); // Variable length, lowest bits first; all of these take two bytes.
            bytes.write(id >> 7);
        }
        return bytes.toByteArray();
    }

    private static int found(List<byte[]> connections, byte[] canary) {
        String wanted = new String(canary, StandardCharsets.ISO_8859_1);
        return (int) connections.stream()
                .filter(bytes -> new String(bytes, StandardCharsets.ISO_8859_1).contains(wanted))
                .count();
    }

    private static Set<String> outputs(List<byte[]> connections) {
        Set<String> found = new HashSet<>();
        for (byte[] bytes : connections) {
            Matcher token = TOKEN.matcher(new String(bytes, StandardCharsets.ISO_8859_1));
            while (token.find()) {
                found.add(token.group(1));
            }
        }
        return found;
    }
}

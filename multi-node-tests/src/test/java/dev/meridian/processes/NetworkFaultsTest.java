package dev.meridian.processes;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.meridian.bench.http.Script;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/**
 * Streams on two regions of two nodes each, 40 ms apart, while the network between them fails: a {@link Relay} is the network.
 * What is drawn follows from one seed, which is printed; {@code -Dmeridian.seed=N} draws the same again. Cuts are longer with
 * {@code -Dsoak}, and times are judged.
 */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class NetworkFaultsTest {
    private static final boolean SOAK = System.getProperty("soak") != null;
    private static final long SEED = Long.getLong("meridian.seed", System.nanoTime() % 1_000_000);
    private static final Duration BETWEEN_REGIONS = Duration.ofMillis(40);
    private static final Duration CUT = Duration.ofSeconds(SOAK ? 30 : 12);
    /** The five seconds of the soak are judged on a machine that does nothing else. */
    private static final Duration AGREED_WITHIN = Duration.ofSeconds(SOAK ? 5 : 30);

    private static final String[] NODES = {"eu-1", "eu-2", "us-1", "us-2"};
    private static final String[] REGIONS = {"eu", "us"};

    @TempDir
    static Path folder;

    private static final Random RANDOM = new Random(SEED);
    private static ClusterOfProcesses cluster;

    @BeforeAll
    static void start() throws Exception {
        System.out.println("network faults: -Dmeridian.seed=" + SEED);
        cluster = new ClusterOfProcesses(
                folder,
                // A little send-buffer, so that a reader that is slow is so for the edge, too.
                // Edges that are cut off hear of no hand-over, and a move waits that long for them.
                ClusterOfProcesses.ONE_REPLICA
                        + "\nmeridian { placement.drain-deadline = 500 ms, host.hand-over = 1 s, "
                        + "edge.send-buffer = 8 KiB }",
                Set.of(),
                NODES);
        cluster.throughRelay(BETWEEN_REGIONS, SEED);
        cluster.start();
        cluster.awaitReplicas(2);
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    private static void pass(ClusterOfProcesses cluster, Duration time) throws Exception {
        long until = System.nanoTime() + time.toNanos();
        cluster.await("the time to pass", () -> System.nanoTime() - until >= 0);
    }

    /** Tokens of a stream that runs for longer than that. */
    private static int tokensFor(Duration time) {
        return (int) time.plusSeconds(3).toSeconds() * ClusterOfProcesses.TOKENS_PER_SECOND;
    }

    /** What a node shows of the whole cluster. */
    private static List<String> picture(String asked) throws Exception {
        List<String> picture = new ArrayList<>();
        for (JsonNode node : cluster.list(asked, "nodes")) {
            picture.add(node.path("id").asText() + " " + node.path("status").asText());
        }
        for (JsonNode replica : cluster.list(asked, "replicas")) {
            picture.add(Stream.of("id", "node", "state", "generation", "movesTo")
                    .map(field -> replica.path(field).asText())
                    .toList()
                    .toString());
        }
        picture.sort(null);
        return picture;
    }

    /** All nodes are up and show the same. */
    private static boolean allAgree() throws Exception {
        List<String> first = picture(NODES[0]);
        for (String node : NODES) {
            if (!picture(node).equals(first)) {
                return false;
            }
        }
        return first.stream().filter(line -> line.endsWith(" up")).count() == NODES.length
                && first.stream().filter(line -> line.contains(", ready, ")).count() == REGIONS.length;
    }

    private static void healAndAgree(String what) throws Exception {
        cluster.relay().heal();
        Duration took = cluster.await("all nodes to agree", AGREED_WITHIN, NetworkFaultsTest::allAgree);
        System.out.printf("%s: all nodes agree %d ms after the heal%n", what, took.toMillis());
        for (String node : NODES) {
            assertThat(cluster.node(node).isAlive())
                    .as(() -> node + " has ended\n" + cluster.state())
                    .isTrue();
        }
    }

    private static Map.Entry<String, String> replica(String asked, String region) throws Exception {
        Map<String, String> places = cluster.placement(asked, region);
        assertThat(places).hasSize(1);
        return places.entrySet().iterator().next();
    }

    /** A replica moves while only its own region can know. */
    private static void move(String region) throws Exception {
        Map.Entry<String, String> replica = replica(region + "-1", region);
        String to = region + (replica.getValue().endsWith("1") ? "-2" : "-1");
        JsonNode change = cluster.change(
                region + "-1", "replicas/" + replica.getKey() + ":move?wait=30s", "{\"to\":\"" + to + "\"}");
        assertThat(change.path("state").asText())
                .as(change + "\n" + cluster.state())
                .isEqualTo("done");
    }

    private static String drawn(String... all) {
        return all[RANDOM.nextInt(all.length)];
    }

    /** Streams that run and streams that come are served on both sides of a cut, during which a replica moves. */
    private static void serveThrough(String from, String to, boolean bothWays) throws Exception {
        String what = (bothWays ? "cut both ways, " : "cut one way, ") + from + " to " + to;
        Relay relay = cluster.relay();
        ScriptedStreams running = ScriptedStreams.flow(cluster, tokensFor(CUT), NODES);
        relay.cutOneWay(from, to);
        if (bothWays) {
            relay.cutOneWay(to, from);
        }
        pass(cluster, BETWEEN_REGIONS); // A write that had begun when the link was cut is counted after it.
        long there = relay.bytes(from, to);
        long back = relay.bytes(to, from);
        assertThat(there).isPositive();
        long since = System.nanoTime();
        SteadyLoad coming = new SteadyLoad(cluster, 8, 50);
        pass(cluster, CUT.dividedBy(2));
        move(drawn(REGIONS));
        Duration passed = Duration.ofNanos(System.nanoTime() - since);
        pass(cluster, CUT.compareTo(passed) > 0 ? CUT.minus(passed) : Duration.ZERO);
        assertThat(running.ended()).as(cluster::state).isZero();
        coming.finish();
        assertThat(relay.bytes(from, to)).as(relay::toString).isEqualTo(there);
        assertThat(relay.bytes(to, from) == back).as(relay::toString).isEqualTo(bothWays);
        healAndAgree(what);
        running.assertWhole(what);
        assertThat(coming.faults()).as(cluster::state).isEmpty();
        assertThat(coming.completed()).isGreaterThan(20);
    }

    @Test
    @Order(1)
    void regionsThatAreCutOffFromEachOtherServeOnAndAgreeAgain() throws Exception {
        serveThrough("eu", "us", true);
    }

    @Test
    @Order(2)
    void aRegionThatIsHeardAndDoesNotHearServesOn() throws Exception {
        String deaf = drawn(REGIONS);
        String heard = deaf.equals("eu") ? "us" : "eu";
        serveThrough(heard, deaf, false);
    }

    @Test
    @Order(3)
    void aLinkThatComesAndGoesTakesNobodyOut() throws Exception {
        Duration phase = Duration.ofMillis(700);
        int times = SOAK ? 30 : 7;
        ScriptedStreams running = ScriptedStreams.flow(cluster, tokensFor(phase.multipliedBy(2L * times)), NODES);
        SteadyLoad coming = new SteadyLoad(cluster, 8, 50);
        for (int i = 0; i < times; i++) {
            cluster.relay().cut("eu", "us");
            pass(cluster, phase);
            cluster.relay().heal();
            pass(cluster, phase);
        }
        coming.finish();
        healAndAgree("flapping link");
        running.assertWhole("flapping link");
        assertThat(coming.faults()).as(cluster::state).isEmpty();
    }

    @Test
    @Order(4)
    void clientsThatLeaveOrReadSlowlyLeaveNothingBehind() throws Exception {
        ScriptedStreams undisturbed = ScriptedStreams.flow(cluster, 20, tokensFor(Duration.ofSeconds(10)), NODES);
        Queue<String> faults = new ConcurrentLinkedQueue<>();
        List<Thread> clients = new ArrayList<>();
        long began = System.nanoTime();
        long leave = began + TimeUnit.SECONDS.toNanos(11);
        for (int i = 0; i < 1200; i++) {
            boolean slow = i % 6 == 0;
            long at = began + RANDOM.nextLong(TimeUnit.SECONDS.toNanos(slow ? 8 : 10));
            int amount = 1 + RANDOM.nextInt(slow ? 10 : 2000);
            boolean resets = RANDOM.nextBoolean();
            String edge = drawn(NODES);
            clients.add(Thread.ofVirtual().start(() -> {
                try {
                    TimeUnit.NANOSECONDS.sleep(at - System.nanoTime());
                    readAndLeave(edge, slow, amount, resets, leave);
                } catch (Exception | AssertionError e) {
                    faults.add((slow ? "a slow reader at " : "a client at ") + edge + ": " + e);
                }
            }));
        }
        double[] unread = {0};
        cluster.await("the slow readers to have read for a while", () -> {
            unread[0] = Math.max(unread[0], total("journal_bytes"));
            return System.nanoTime() - leave >= 0;
        });
        assertThat(unread[0]).as("bytes that slow readers left at the edges").isGreaterThan(1 << 20);
        for (Thread client : clients) {
            client.join();
        }
        System.out.printf(
                "1200 clients came and left in %d ms, and left up to %.0f bytes unread%n",
                Duration.ofNanos(System.nanoTime() - began).toMillis(), unread[0]);
        undisturbed.assertWhole("beside clients that leave");
        assertThat(faults).as(cluster::state).isEmpty();
        Duration took = cluster.await("nothing to be left", AGREED_WITHIN, NetworkFaultsTest::nothingIsLeft);
        System.out.printf("nothing is left of them after %d ms%n", took.toMillis());
    }

    private static void readAndLeave(String edge, boolean slow, int amount, boolean resets, long leave)
            throws Exception {
        try (RawStream stream =
                RawStream.open(cluster.api(edge), amount % Script.VOCABULARY, 200, slow ? "\"logprobs\":5," : "")) {
            assertThat(stream.refusal()).isEmpty();
            if (slow) {
                while (System.nanoTime() - leave < 0 && stream.read(amount)) {
                    TimeUnit.SECONDS.sleep(1);
                }
            } else {
                stream.read(amount);
            }
            if (resets) {
                stream.reset();
            }
        }
    }

    private static boolean nothingIsLeft() throws Exception {
        for (String node : NODES) {
            for (JsonNode replica : cluster.list(node, "replicas")) {
                if (replica.path("runningSequences").asInt() != 0
                        || replica.path("queueDepth").asInt() != 0) {
                    return false;
                }
            }
        }
        return total("streams_active") == 0 && total("journal_bytes") == 0 && total("journal_reserved_bytes") == 0;
    }

    /** Of the edges of all nodes. */
    private static double total(String metric) throws Exception {
        double total = 0;
        for (String node : NODES) {
            total += cluster.metric(node, "meridian_" + metric);
        }
        return total;
    }

    /** The only replica is in the other region. */
    @Test
    @Order(5)
    void streamsThatAreFedAcrossALinkWaitWhileItIsCutAndNoLongerThanTheyMay() throws Exception {
        Path own = Files.createDirectory(folder.resolve("across"));
        try (ClusterOfProcesses two = new ClusterOfProcesses(
                own,
                ClusterOfProcesses.ONE_REPLICA + "\nmeridian.edge.replica-wait = 5 s",
                Set.of("us-1"),
                "eu-1",
                "us-1")) {
            two.throughRelay(BETWEEN_REGIONS, SEED);
            two.start();
            two.awaitReplicas(1);
            ScriptedStreams wait = ScriptedStreams.flow(two, 150, "us-1");
            two.relay().cut("eu", "us");
            pass(two, Duration.ofMillis(2000 + RANDOM.nextInt(1000)));
            two.relay().heal();
            wait.assertWhole("fed across a cut link");

            ScriptedStreams lost = ScriptedStreams.flow(two, 150, "us-1");
            two.relay().cut("eu", "us");
            assertThat(lost.ends()).allSatisfy(end -> assertThat(end).contains("\"code\":\"replica_lost\""));
            two.relay().heal();
            two.awaitNode("eu-1", "up");
            ScriptedStreams.flow(two, 100, "us-1").assertWhole("after the link was lost");
        }
    }
}

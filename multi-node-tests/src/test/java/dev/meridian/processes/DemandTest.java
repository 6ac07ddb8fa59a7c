package dev.meridian.processes;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.bench.http.Script;
import dev.meridian.processes.ScriptedStream.Ask;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/** Models are loaded where they are asked for: two regions of one node, each with room for one model, and nothing loaded at first. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
final class DemandTest {
    private static final Duration IDLE_UNLOAD = Duration.ofSeconds(3);
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    /** A model that both regions may hold, and two that are bound to eu. */
    private static final List<String> BOUND = List.of(Script.MODEL + "-2", Script.MODEL + "-3");

    @TempDir
    static Path folder;

    private ClusterOfProcesses cluster;

    @BeforeAll
    void start() throws Exception {
        cluster = new ClusterOfProcesses(folder, """
                meridian.engine.memory-budget = 200 MiB
                meridian.placement {
                  replicas = 0, warm-above = 30, demand-half-life = 2 s, load-half-life = 2 s, min-residence = 500 ms, patience = 200 ms
                  policy-interval = 250 ms, drain-deadline = 500 ms, defaults.idle-unload = 3 s
                }
                meridian.residency.models { scripted-2 = [eu], scripted-3 = [eu] }
                """, Set.of(), "eu-1", "us-1");
        cluster.scriptedModels(3);
        cluster.start();
        cluster.awaitReplicas(0);
    }

    @AfterAll
    void stop() {
        cluster.close();
    }

    private ScriptedStream whole(String edge, String model, int tokens) throws Exception {
        ScriptedStream stream = cluster.stream(edge, Ask.of(model, 17, tokens));
        assertThat(stream.fault())
                .as(() -> model + " at " + edge + "\n" + cluster.state())
                .isEmpty();
        return stream;
    }

    /** How often a policy has decided so, of all nodes. */
    private long decisions(String what) {
        return List.of("eu-1", "us-1").stream()
                .flatMap(name -> cluster.node(name).output().lines())
                .filter(line -> line.contains("policy follow-demand: " + what))
                .count();
    }

    @Test
    @Order(1)
    void aRequestForWhatIsNotLoadedLoadsIt() throws Exception {
        ScriptedStream first = whole("eu-1", Script.MODEL, 20);
        assertThat(first.coldStart()).isTrue();
        assertThat(first.servedBy()).startsWith("eu/eu-1/");

        ScriptedStream second = whole("eu-1", Script.MODEL, 5);
        assertThat(second.coldStart()).isFalse();
        assertThat(second.servedBy()).startsWith("eu/eu-1/");
    }

    /** A few users are served by the nearest region that has it; many get a replica of their own, and then no other region is asked. */
    @Test
    @Order(2)
    void demandThatMovesIsFollowed() throws Exception {
        whole("eu-1", Script.MODEL, 5);
        assertThat(whole("us-1", Script.MODEL, 5).servedBy()).startsWith("eu/");

        List<String> servedBy = new ArrayList<>();
        Duration took = cluster.await("the model in us", PATIENCE, () -> {
            servedBy.add(whole("us-1", Script.MODEL, 2).servedBy());
            return servedBy.getLast().startsWith("us/");
        });
        System.out.printf("demand that moves: placed there after %d ms%n", took.toMillis());
        for (int i = 0; i < 20; i++) {
            assertThat(whole("us-1", Script.MODEL, 2).servedBy()).startsWith("us/us-1/");
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(100));
        }
        assertThat(decisions("us scripted: 0 -> 1")).as("no ping-pong").isEqualTo(1);
        assertThat(decisions("us scripted: 1 -> 0")).as("no ping-pong").isZero();
    }

    @Test
    @Order(3)
    void whatNobodyAsksForIsUnloadedButNotUnderALiveStream() throws Exception {
        int tokens = (int) IDLE_UNLOAD.plusSeconds(2).toSeconds() * ClusterOfProcesses.TOKENS_PER_SECOND;
        ScriptedStream longer = cluster.stream("us-1", Ask.of(Script.MODEL, 5, tokens));

        assertThat(longer.fault()).as(cluster::state).isEmpty();
        cluster.awaitReplicas(0);
    }

    @Test
    @Order(4)
    void twoModelsTakeTurnsWhereThereIsRoomForOne() throws Exception {
        long began = System.nanoTime();
        List<Thread> clients = new ArrayList<>();
        List<String> faults = Collections.synchronizedList(new ArrayList<>());
        for (int client = 0; client < 50; client++) {
            int number = client;
            clients.add(Thread.ofVirtual().start(() -> {
                try {
                    for (int i = 0; i < 10; i++) {
                        String fault = cluster.stream("eu-1", Ask.of(BOUND.get((number + i) % 2), number, 5))
                                .fault();
                        if (!fault.isEmpty()) {
                            faults.add(number + "/" + i + ": " + fault);
                        }
                    }
                } catch (Exception e) {
                    faults.add(number + ": " + e);
                }
            }));
        }
        for (Thread client : clients) {
            client.join();
        }
        Duration took = Duration.ofNanos(System.nanoTime() - began);
        long loads = decisions("eu scripted-2: 0 -> 1") + decisions("eu scripted-3: 0 -> 1");
        System.out.println(
                "500 requests for two models in turn, room for one: " + loads + " loads in " + took.toMillis() + " ms");
        assertThat(faults).as(cluster::state).isEmpty();
        assertThat(loads).as("at most one in each residence").isBetween(2L, 2 * took.toSeconds() + 4);
    }
}

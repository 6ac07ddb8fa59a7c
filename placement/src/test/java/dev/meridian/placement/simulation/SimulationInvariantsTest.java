package dev.meridian.placement.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.placement.policy.ModelRules;
import dev.meridian.protocol.cluster.Residency;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Clusters that are drawn, with nodes that fail, under each policy: what has to hold after every event does. */
class SimulationInvariantsTest {
    private static final int SEEDS = 12;

    static Stream<Arguments> runs() {
        return Scenarios.POLICIES.stream()
                .flatMap(policy ->
                        Stream.iterate(0, seed -> seed + 1).limit(SEEDS).map(seed -> Arguments.of(policy, seed)));
    }

    private static Scenarios drawn(int seed) {
        Random random = new Random(seed);
        Scenarios scenarios = new Scenarios();
        scenarios.duration = Duration.ofMinutes(20);
        List<String> names = List.of("ap", "eu", "us").subList(0, 1 + random.nextInt(3));
        for (String name : names) {
            Duration uptime = random.nextBoolean() ? Duration.ZERO : Duration.ofMinutes(4);
            scenarios.region(name, 1 + random.nextInt(3), 60 + random.nextInt(140), uptime);
            names.forEach(to -> scenarios.rtt(name, to, name.equals(to) ? 2 : 90));
            scenarios.rate(name, 0.05 + random.nextDouble());
        }
        for (int i = 1 + random.nextInt(6); i > 0; i--) {
            boolean bound = random.nextInt(4) == 0;
            scenarios.models.add(new Scenario.Model(
                    "m" + i,
                    20 + random.nextInt(50),
                    10,
                    Duration.ofMillis(100),
                    Duration.ofMillis(1),
                    1 + random.nextInt(4),
                    1.0 / i,
                    bound ? Residency.in(List.of(names.getFirst())) : Residency.ANYWHERE));
        }
        int least = random.nextInt(2);
        scenarios.rules =
                new ModelRules(least, 2, 3, least > 0 && random.nextBoolean(), Duration.ofMinutes(3), List.of());
        return scenarios;
    }

    @ParameterizedTest
    @MethodSource("runs")
    void holdAfterEveryEvent(String policy, int seed) {
        Scenario scenario = drawn(seed).build();
        Simulation simulation = new Simulation(scenario, policy, seed);
        Watch watch = new Watch(simulation.world(), "seed " + seed);
        while (!simulation.isOver()) {
            simulation.step();
            watch.check();
        }
        Outcome outcome = simulation.outcome();
        assertThat(outcome.served() + outcome.failed())
                .as("seed %d: each request ends once", seed)
                .isEqualTo(outcome.requests());
        assertThat(outcome.requests()).isPositive();
        assertThat(outcome.coldHits()).isLessThanOrEqualTo(outcome.requests());
        assertThat(outcome.unloads()).isEqualTo(watch.unloads);
        assertThat(outcome.unloads()).isLessThanOrEqualTo(outcome.loads());
    }

    /** Remembers what was there after the last event. */
    private static final class Watch {
        private final World world;
        private final String label;
        private final Set<Replica> known = new HashSet<>();
        private final Set<Replica> ready = new HashSet<>();
        private final Set<Replica> served = new HashSet<>();
        private final List<Replica> gone = new ArrayList<>();
        long unloads;

        Watch(World world, String label) {
            this.world = world;
            this.label = label;
        }

        void check() {
            gone.clear();
            for (Node node : world.nodes) {
                checkMemory(node);
                known.addAll(node.replicas.values());
            }
            for (Replica replica : known) {
                if (replica.state == Replica.State.GONE) {
                    checkGone(replica);
                    gone.add(replica);
                } else {
                    note(replica);
                }
            }
            known.removeAll(gone);
            for (int region = 0; region < world.scenario.regions().size(); region++) {
                checkCounts(region);
            }
        }

        private void note(Replica replica) {
            if (replica.state == Replica.State.READY) {
                ready.add(replica);
            } else if (replica.state == Replica.State.LOST) {
                ready.remove(replica);
            }
            if (replica.requests.isEmpty()) {
                served.remove(replica);
            } else {
                served.add(replica);
            }
        }

        private void checkMemory(Node node) {
            long bytes = 0;
            for (Replica replica : node.replicas.values()) {
                Scenario.Model model = world.model(replica.model);
                String region = world.scenario.regions().get(node.region).name();
                assertThat(model.residency().allows(region)).as(label).isTrue();
                bytes += replica.holdsMemory() ? model.bytes() : 0;
                assertThat(replica.running).as(label).isBetween(0, model.slots());
                assertThat(replica.requests.size())
                        .as(label)
                        .isGreaterThanOrEqualTo(replica.running + replica.queue.size());
            }
            assertThat(bytes).as(label).isEqualTo(node.reservedBytes).isLessThanOrEqualTo(node.spec.budgetBytes());
        }

        /** No stream is cut off by a policy, and what was loaded was there for its residence: swaps have a bound. */
        private void checkGone(Replica replica) {
            assertThat(replica.requests).as(label).isEmpty();
            if (ready.contains(replica) && replica.node.isUp) {
                unloads++;
                assertThat(world.now() - replica.placedAt)
                        .as("%s: time between the placement and the unload of a replica", label)
                        .isGreaterThanOrEqualTo(Moments.micros(Scenarios.MIN_RESIDENCE));
            }
        }

        private void checkCounts(int region) {
            int most = world.scenario.policies().defaults().maxReplicas();
            for (int model = 0; model < world.scenario.models().size(); model++) {
                int placed = 0;
                for (Node node : world.nodes) {
                    Replica replica = node.replicas.get(model);
                    placed += node.region == region && replica != null && replica.isPlaced() ? 1 : 0;
                }
                assertThat(placed).as(label).isLessThanOrEqualTo(most);
                assertThat(world.ready(model, region)).as(label).allMatch(one -> one.state == Replica.State.READY);
            }
        }
    }
}

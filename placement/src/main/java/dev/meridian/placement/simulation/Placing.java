package dev.meridian.placement.simulation;

import dev.meridian.placement.policy.Demand;
import dev.meridian.placement.policy.PlacementPlan;
import dev.meridian.placement.policy.PlacementPlan.Target;
import dev.meridian.placement.policy.PlacementPolicy;
import dev.meridian.placement.policy.PolicyView;
import dev.meridian.placement.simulation.Replica.State;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Asks the policy, and carries out what it wants, region by region, as the real placement does. */
final class Placing {
    private final World world;
    private final Hosting hosting;
    private final PlacementPolicy policy;
    private final Map<String, PolicyView.Model> models;
    private final Set<String> bundles;
    private final long startMillis;

    Placing(World world, Hosting hosting, PlacementPolicy policy) {
        this.world = world;
        this.hosting = hosting;
        this.policy = policy;
        Map<String, PolicyView.Model> all = new TreeMap<>();
        world.scenario
                .models()
                .forEach(model ->
                        all.put(model.name(), new PolicyView.Model(model.name(), model.bytes(), model.residency())));
        models = Map.copyOf(all);
        bundles = Set.copyOf(all.keySet());
        startMillis = world.scenario.startsAt().toNanoOfDay() / 1_000_000;
    }

    void plan() {
        hosting.rehome();
        List<PolicyView.Region> regions = new ArrayList<>();
        List<Demand.Counted> counted = new ArrayList<>();
        for (int i = 0; i < world.scenario.regions().size(); i++) {
            regions.add(region(i));
            counted.add(new Demand.Counted(
                    world.scenario.regions().get(i).name(),
                    world.meters(i).stream()
                            .map(meter -> meter.demand(world.now()))
                            .toList()));
        }
        long nowMillis = startMillis + world.now() / Moments.MILLI;
        PlacementPlan plan = policy.plan(new PolicyView(nowMillis, regions, models), Demand.of(counted));
        List<Target> changes = plan.changes();
        changes.stream().filter(target -> target.replicas() < target.held()).forEach(this::takeAway);
        changes.stream().filter(target -> target.replicas() > target.held()).forEach(this::add);
    }

    private PolicyView.Region region(int number) {
        Scenario.Region region = world.scenario.regions().get(number);
        List<PolicyView.Host> hosts = new ArrayList<>();
        List<PolicyView.Held> held = new ArrayList<>();
        for (Node node : world.nodes) {
            if (node.region == number) {
                hosts.add(new PolicyView.Host(node.spec.name(), node.isUp, node.spec.budgetBytes(), bundles));
                node.replicas.values().stream().filter(Replica::isPlaced).forEach(replica -> held.add(held(replica)));
            }
        }
        Map<String, Long> rtts = new TreeMap<>();
        for (int to : world.nearest(number)) {
            if (to != number) {
                rtts.put(world.scenario.regions().get(to).name(), world.rtt(number, to));
            }
        }
        return new PolicyView.Region(region.name(), rtts, hosts, held, Map.of());
    }

    private PolicyView.Held held(Replica replica) {
        return new PolicyView.Held(
                world.model(replica.model).name(),
                replica.node.spec.name(),
                replica.state == State.READY,
                (world.now() - replica.placedAt) / Moments.MILLI,
                replica.requests.size());
    }

    private List<Replica> placed(int region, int model) {
        List<Replica> placed = new ArrayList<>();
        for (Node node : world.nodes) {
            Replica replica = node.replicas.get(model);
            if (node.region == region && replica != null && replica.isPlaced()) {
                placed.add(replica);
            }
        }
        return placed;
    }

    /** What is too much goes once all that stays serves. */
    private void takeAway(Target target) {
        List<Replica> placed = placed(world.regionNumber(target.region()), world.modelNumber(target.model()));
        placed.sort(staying());
        boolean othersServe =
                placed.stream().limit(target.replicas()).allMatch(replica -> replica.state == State.READY);
        if (othersServe) {
            placed.stream().skip(target.replicas()).forEach(hosting::takeAway);
        }
    }

    /**
     * Who stays, in the order in which the policies' own fit keeps what is there: else what was placed a moment ago could go, which no
     * policy meant.
     */
    private Comparator<Replica> staying() {
        long residence = Moments.micros(world.scenario.policies().minResidence());
        return Comparator.comparing((Replica replica) ->
                        replica.state == State.READY && world.now() - replica.placedAt >= residence)
                .thenComparing(replica -> replica.state != State.READY)
                .thenComparing(Comparator.comparingInt((Replica replica) -> replica.requests.size())
                        .reversed())
                .thenComparingLong(replica -> replica.placedAt)
                .thenComparing(replica -> replica.node.spec.name());
    }

    /** As many as there is room for now: what drains still has its memory. */
    private void add(Target target) {
        int region = world.regionNumber(target.region());
        int model = world.modelNumber(target.model());
        for (int i = target.held(); i < target.replicas(); i++) {
            hosting.choose(region, model).ifPresent(node -> hosting.place(model, node));
        }
    }
}

package dev.meridian.placement.simulation;

import dev.meridian.placement.policy.Policies;
import dev.meridian.placement.policy.PolicySettings;
import dev.meridian.placement.simulation.EventQueue.Event;
import java.time.Duration;
import java.util.SplittableRandom;

/**
 * One run of a scenario under one policy: takes events in the order of time until all requests have ended. Users and failures are
 * drawn apart from everything else, so all policies of a seed meet the same ones.
 */
public final class Simulation {
    private final World world;
    private final Hosting hosting;
    private final Serving serving;
    private final Placing placing;
    private final Recorder recorder;
    private final String policy;
    private final long endMicros;
    private long planAt;
    private long plannedAt = -1;

    Simulation(Scenario scenario, String policy, long seed) {
        this.policy = policy;
        SplittableRandom random = new SplittableRandom(seed);
        SplittableRandom users = users(random);
        SplittableRandom failures = random.split();
        world = new World(scenario);
        hosting = new Hosting(world);
        serving = new Serving(world, hosting, random.split());
        PolicySettings said = scenario.policies();
        placing = new Placing(
                world,
                hosting,
                Policies.of(new PolicySettings(
                        policy,
                        said.minResidence(),
                        said.warmAbove(),
                        said.patience(),
                        said.defaults(),
                        said.models())));
        recorder = new Recorder(world);
        endMicros = Moments.micros(scenario.duration());
        scenario.demand().forEach(source -> arrive(Users.of(world, source, users.split()), 0));
        outages(failures);
        world.events.schedule(0, new Event.Plan());
    }

    /**
     * Runs it to its end.
     *
     * @throws IllegalArgumentException where there is no such policy
     */
    public static Outcome run(Scenario scenario, String policy, long seed) {
        Simulation simulation = new Simulation(scenario, policy, seed);
        while (!simulation.isOver()) {
            simulation.step();
        }
        return simulation.outcome();
    }

    World world() {
        return world;
    }

    Outcome outcome() {
        return world.tally.outcome(policy, recorder.timeline());
    }

    boolean isOver() {
        return world.events.isEmpty() || (world.events.nextAt() >= endMicros && serving.open() == 0);
    }

    /** What users are drawn from: the first that is split off. */
    static SplittableRandom users(SplittableRandom ofSeed) {
        return ofSeed.split();
    }

    private void arrive(Users users, long after) {
        long at = users.nextAfter(after);
        if (at < endMicros) {
            world.events.schedule(at, new Event.Arrival(users));
        }
    }

    /** Those of the scenario, and those by chance. */
    private void outages(SplittableRandom random) {
        for (Node node : world.nodes) {
            SplittableRandom own = random.split();
            world.scenario.outages().stream()
                    .filter(one -> one.node().equals(node.spec.name()))
                    .forEach(one -> outage(node, Moments.micros(one.at()), Moments.micros(one.lasts())));
            Scenario.Region region = world.scenario.regions().get(node.region);
            if (region.meanUptime().isPositive()) {
                long at = exponential(own, region.meanUptime());
                while (at < endMicros) {
                    long lasts = exponential(own, region.meanRepair());
                    outage(node, at, lasts);
                    at += lasts + exponential(own, region.meanUptime());
                }
            }
        }
    }

    private static long exponential(SplittableRandom random, Duration mean) {
        return Math.max(1, Math.round(-StrictMath.log(1 - random.nextDouble()) * Moments.micros(mean)));
    }

    private void outage(Node node, long at, long lasts) {
        if (at < endMicros) {
            recorder.down(node, at, at + lasts);
            world.events.schedule(at, new Event.NodeFailed(node));
            world.events.schedule(at + lasts, new Event.NodeBack(node));
        }
    }

    /** The next event, and what follows from it. */
    void step() {
        recorder.until(world.events.nextAt() - 1);
        switch (world.events.next()) {
            case Event.Arrival(Users users) -> onArrival(users);
            case Event.Reached(Request request, int attempt) -> serving.reached(request, attempt);
            case Event.Prefilled(Request request, int attempt) -> serving.prefilled(request, attempt);
            case Event.Finished(Request request, int attempt) -> serving.finished(request, attempt);
            case Event.Resent(Request request, int attempt) -> serving.resent(request, attempt);
            case Event.GivenUp(Request request, int attempt) -> serving.givenUp(request, attempt);
            case Event.Loaded(Replica replica, int attempt) -> {
                if (hosting.loaded(replica, attempt)) {
                    serving.serveWaiting(replica.model);
                }
            }
            case Event.Lingered(Replica replica, int attempt) -> hosting.lingered(replica, attempt);
            case Event.NodeFailed(Node node) -> hosting.failed(node).forEach(serving::interrupted);
            case Event.NodeBack(Node node) -> hosting.back(node);
            case Event.Plan _ -> onPlan();
        }
        if (isBusy()) {
            planBy(nextTick(world.scenario.timing().policyInterval()));
        }
    }

    private void onArrival(Users users) {
        Request request = users.draw(world.now());
        recorder.arrived(request);
        serving.arrived(request);
        arrive(users, world.now());
    }

    private void onPlan() {
        if (world.now() == planAt) {
            placing.plan();
            plannedAt = world.now();
            planAt = Long.MAX_VALUE;
            planBy(nextTick(world.scenario.timing().calmInterval()));
        }
    }

    /** The first multiple of an interval from now on, but for moments that have had their plan. */
    private long nextTick(Duration interval) {
        return Math.ceilDiv(Math.max(world.now(), plannedAt + 1), Moments.micros(interval)) * Moments.micros(interval);
    }

    private void planBy(long at) {
        if (at < planAt) {
            planAt = at;
            world.events.schedule(at, new Event.Plan());
        }
    }

    /** Whether the next plan may do what the last one could not. */
    private boolean isBusy() {
        return serving.waiting() > 0 || hosting.unsettled() > 0;
    }
}

package dev.meridian.placement.simulation;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;

/**
 * A request of a scenario's users.
 *
 * @param atMicros after the scenario's begin
 * @param region of the edge that it comes to
 */
public record Arrival(long atMicros, String region, String model, int promptTokens, int outputTokens) {
    /** All of a scenario, in the order of time: those that {@link Simulation#run} takes with this seed, whatever the policy. */
    public static List<Arrival> of(Scenario scenario, long seed) {
        World world = new World(scenario);
        SplittableRandom random = Simulation.users(new SplittableRandom(seed));
        long end = Moments.micros(scenario.duration());
        List<Arrival> arrivals = new ArrayList<>();
        for (DemandSource source : scenario.demand()) {
            Users users = Users.of(world, source, random.split());
            for (long at = users.nextAfter(0); at < end; at = users.nextAfter(at)) {
                Request request = users.draw(at);
                arrivals.add(new Arrival(
                        at,
                        source.region(),
                        world.model(request.model).name(),
                        request.promptTokens,
                        request.outputTokens));
            }
        }
        arrivals.sort(Comparator.comparingLong(Arrival::atMicros));
        return arrivals;
    }
}

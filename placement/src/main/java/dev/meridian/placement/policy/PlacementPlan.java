package dev.meridian.placement.policy;

import java.util.List;
import java.util.Optional;

/**
 * What a policy wants.
 *
 * @param policy its name
 * @param targets of each region and model that has a replica or is to have one, in order
 */
public record PlacementPlan(String policy, List<Target> targets) {
    public PlacementPlan {
        targets = List.copyOf(targets);
    }

    /**
     * How many replicas of a model a region should have.
     *
     * @param held that it has now
     * @param replicas that it should have
     * @param wished that it would have if there were room
     * @param reason for a person to read
     */
    public record Target(String region, String model, int held, int replicas, int wished, String reason) {
        public boolean isChange() {
            return held != replicas;
        }

        @Override
        public String toString() {
            String change = isChange() ? held + " -> " + replicas : Integer.toString(held);
            return region + " " + model + ": " + change + " (" + reason + ")";
        }
    }

    /** Those of a region. */
    public List<Target> in(String region) {
        return targets.stream().filter(target -> target.region().equals(region)).toList();
    }

    public Optional<Target> target(String region, String model) {
        return targets.stream()
                .filter(target ->
                        target.region().equals(region) && target.model().equals(model))
                .findFirst();
    }

    /** What would change. */
    public List<Target> changes() {
        return targets.stream().filter(Target::isChange).toList();
    }

    /** One line for each change, and for what stays nothing. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(policy);
        changes().forEach(change -> text.append('\n').append(change));
        return text.toString();
    }
}

package dev.meridian.placement.policy;

/**
 * Decides how many replicas of each model each region holds. Pure: equal arguments give equal plans, and nothing is remembered
 * between calls, so each region's placement, the simulator and a dry run come to the same result. A new policy is a class and
 * its line in {@link Policies}.
 */
public interface PlacementPolicy {
    /** Never more than fits, and nothing where a residency forbids it. What an operator has placed stays as it is. */
    PlacementPlan plan(PolicyView view, Demand demand);
}

package dev.meridian.placement;

import com.typesafe.config.Config;
import dev.meridian.placement.policy.PolicySettings;
import java.time.Duration;

/**
 * How nodes watch each other and how a region places replicas; see {@code meridian.placement} in reference.conf.
 *
 * @param statusInterval how often a node tells the others what it does
 * @param silence a node that was not heard for this long gets nothing new
 * @param rehomeAfter replicas of a node that was silent for this long go to others
 * @param forgetAfter a node that was silent for this long is shown no more
 * @param replicas of each model in a region without any demand, as far as there are nodes, where no operator has placed it
 * @param drainDeadline how long the streams of a replica that moved may stay where they are
 * @param planInterval how often a region's placement looks at its facts
 * @param policyInterval how often it asks the policy
 * @param demandHalfLife of the average of requests that edges count
 * @param loadHalfLife of the averages of streams and tokens that they count
 * @param policy how it decides
 */
public record PlacementSettings(
        Duration statusInterval,
        Duration silence,
        Duration rehomeAfter,
        Duration forgetAfter,
        int replicas,
        Duration drainDeadline,
        Duration planInterval,
        Duration policyInterval,
        Duration demandHalfLife,
        Duration loadHalfLife,
        PolicySettings policy) {
    /** Its keys are names of models; they are checked where they are read. */
    public static final String FREE_KEYS = "meridian.placement.models.";

    public PlacementSettings {
        requirePositive(statusInterval, "status-interval");
        requirePositive(planInterval, "plan-interval");
        requirePositive(policyInterval, "policy-interval");
        requirePositive(demandHalfLife, "demand-half-life");
        requirePositive(loadHalfLife, "load-half-life");
        if (silence.compareTo(statusInterval.multipliedBy(2)) < 0) {
            throw new IllegalArgumentException("meridian.placement.silence " + silence.toMillis()
                    + " ms: expected at least twice the status-interval of " + statusInterval.toMillis() + " ms");
        }
        if (rehomeAfter.compareTo(silence) < 0) {
            throw new IllegalArgumentException("meridian.placement.rehome-after " + rehomeAfter.toMillis()
                    + " ms: expected at least silence, " + silence.toMillis() + " ms");
        }
        if (forgetAfter.compareTo(rehomeAfter) < 0) {
            throw new IllegalArgumentException("meridian.placement.forget-after " + forgetAfter.toMillis()
                    + " ms: expected at least rehome-after, " + rehomeAfter.toMillis() + " ms");
        }
        if (drainDeadline.isNegative()) {
            throw new IllegalArgumentException("meridian.placement.drain-deadline is negative");
        }
    }

    private static void requirePositive(Duration duration, String key) {
        if (!duration.isPositive()) {
            throw new IllegalArgumentException("meridian.placement." + key + ": expected above 0");
        }
    }

    /** Reads the whole configuration's {@code meridian.placement}. */
    public static PlacementSettings from(Config config) {
        Config placement = config.getConfig("meridian.placement");
        return new PlacementSettings(
                placement.getDuration("status-interval"),
                placement.getDuration("silence"),
                placement.getDuration("rehome-after"),
                placement.getDuration("forget-after"),
                placement.getInt("replicas"),
                placement.getDuration("drain-deadline"),
                placement.getDuration("plan-interval"),
                placement.getDuration("policy-interval"),
                placement.getDuration("demand-half-life"),
                placement.getDuration("load-half-life"),
                ConfiguredPolicySettings.read(placement));
    }
}

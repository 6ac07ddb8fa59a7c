package dev.meridian.placement;

import java.time.Duration;
import org.apache.pekko.actor.ActorSystem;

/**
 * When nodes are taken out; read by what Pekko makes, which gets nothing but the actor system.
 *
 * @param downAfter how long the same nodes of the region are unreachable before they are
 */
record DowningSettings(Duration downAfter) {
    DowningSettings {
        if (!downAfter.isPositive()) {
            throw new IllegalArgumentException("meridian.cluster.down-after: expected above 0");
        }
    }

    static DowningSettings of(ActorSystem system) {
        return new DowningSettings(system.settings().config().getDuration("meridian.cluster.down-after"));
    }
}

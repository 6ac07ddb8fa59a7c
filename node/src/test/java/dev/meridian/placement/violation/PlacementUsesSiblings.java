package dev.meridian.placement.violation;

import dev.meridian.actors.violation.ActorsUseSiblings;
import dev.meridian.edge.violation.EdgeUsesSiblings;

/** Placement reaches into its siblings. */
public interface PlacementUsesSiblings {
    ActorsUseSiblings actors();

    EdgeUsesSiblings edge();
}

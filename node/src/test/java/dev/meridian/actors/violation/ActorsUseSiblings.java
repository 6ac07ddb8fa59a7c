package dev.meridian.actors.violation;

import dev.meridian.edge.violation.EdgeUsesSiblings;
import dev.meridian.placement.violation.PlacementUsesSiblings;

/** The actors reach into their siblings. */
public interface ActorsUseSiblings {
    EdgeUsesSiblings edge();

    PlacementUsesSiblings placement();
}

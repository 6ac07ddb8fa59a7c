package dev.meridian.edge.violation;

import dev.meridian.actors.violation.ActorsUseSiblings;
import dev.meridian.placement.violation.PlacementUsesSiblings;

/** The edge reaches into its siblings. */
public interface EdgeUsesSiblings {
    ActorsUseSiblings actors();

    PlacementUsesSiblings placement();
}

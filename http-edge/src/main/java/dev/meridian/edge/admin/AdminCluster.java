package dev.meridian.edge.admin;

import dev.meridian.protocol.cluster.PinTable;
import dev.meridian.protocol.cluster.PlacementCommand;
import java.util.List;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorRef;

/** The cluster as this node knows it. Answers from memory, on any thread. */
public interface AdminCluster {
    /** Whether this node belongs to the cluster by now. */
    boolean joined();

    /** By id. */
    List<NodeRow> nodes();

    /** One for each region that has decided anything, by region. */
    List<PinTable> tables();

    /** What is asked of models, by region and model. */
    List<DemandRow> demand();

    /** What the policy would do now in every region, and why. Changes nothing. */
    PolicyRows plan();

    /** Who changes a region's placement; empty where no such region is known. */
    Optional<ActorRef<PlacementCommand>> placement(String region);
}

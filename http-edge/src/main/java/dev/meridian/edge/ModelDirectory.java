package dev.meridian.edge;

import dev.meridian.edge.stream.Replicas;
import java.util.List;
import java.util.Optional;

/**
 * The local routing table: which models this edge can reach, and the replica that the next attempt goes to. Read for
 * each request and from any thread, so an implementation answers from memory and never blocks.
 */
public interface ModelDirectory extends Replicas {
    /** Every model that clients may name, in the order in which they are listed. */
    List<ServedModel> models();

    /** The model of that name. */
    Optional<ServedModel> find(String id);
}

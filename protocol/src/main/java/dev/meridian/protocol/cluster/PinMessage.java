package dev.meridian.protocol.cluster;

import org.apache.pekko.actor.typed.ActorRef;

/** What the keepers of pins on a region's nodes, and its placement, tell each other. */
public sealed interface PinMessage {
    /** A table, maybe newer than the one that the receiver has. */
    record Newest(PinTable table) implements PinMessage {}

    /** Say which table you have: answered by {@link Newest}. */
    record Ask(ActorRef<PinMessage> replyTo) implements PinMessage {}
}

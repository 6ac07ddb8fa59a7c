package dev.meridian.protocol.message;

import org.apache.pekko.actor.typed.ActorRef;

/**
 * Between two edges of one region: a client came back to one of them, and the other keeps its stream. The reader asks for each
 * piece, so that a slow client keeps them waiting where they are.
 */
public sealed interface ResumeMessage {
    /**
     * To the edge that keeps the stream.
     *
     * @param owner who may read it, as both edges derive it from its key
     * @param after the id of the last event that the client has, -1 for none
     * @param reader gets {@link Following} or {@link NotKept}, then what it asks for
     */
    record Follow(String stream, String owner, long after, ActorRef<ResumeMessage> reader) implements ResumeMessage {}

    /**
     * To the reader: there it is.
     *
     * @param servedBy what the client is told of who made it
     * @param source takes {@link Next}
     */
    record Following(String servedBy, ActorRef<ResumeMessage> source) implements ResumeMessage {}

    /** To the reader: there is no such stream, or not for this owner. */
    record NotKept() implements ResumeMessage {}

    /** To the source: one more piece, once there is one. */
    record Next() implements ResumeMessage {}

    /**
     * To the reader.
     *
     * @param text server-sent events, or a part of one
     * @param last whether the stream ends with it
     */
    record Piece(String text, boolean last) implements ResumeMessage {}
}

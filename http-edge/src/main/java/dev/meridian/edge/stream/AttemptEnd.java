package dev.meridian.edge.stream;

import dev.meridian.protocol.Refusal;

/** Why the edge gives an attempt up for the next one. */
sealed interface AttemptEnd {
    /** The replica refused it for a reason that may pass, or that another replica may not have. */
    record Refused(Refusal reason) implements AttemptEnd {}

    /** Neither Accepted nor a heartbeat came. */
    record Unanswered() implements AttemptEnd {}

    /** Heartbeats stopped, or go on without it. */
    record Silent() implements AttemptEnd {}

    /** The engine makes no step. */
    record Stuck() implements AttemptEnd {}

    /** Entries got lost on the way, too many of them, or ones that the producer has forgotten. */
    record Gaps() implements AttemptEnd {}

    /** The replica's actor has stopped. */
    record ReplicaDied() implements AttemptEnd {}

    /** The replica is about to stop. */
    record HandedOver() implements AttemptEnd {}

    /** Whether something that had been there got lost; else the replica only had no room or no time yet. */
    default boolean isLoss() {
        return switch (this) {
            case Silent _, Stuck _, Gaps _, ReplicaDied _ -> true;
            case Refused _, Unanswered _, HandedOver _ -> false;
        };
    }

    /** What the client hears when no attempt is left of the {@code attempts} that a request may use. */
    default StreamFailure lastOf(int attempts) {
        return this instanceof Refused(Refusal reason)
                ? new StreamFailure.ByReplica(reason)
                : new StreamFailure.AttemptsExhausted(attempts);
    }
}

package dev.meridian.edge.stream;

import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.Prompt;
import dev.meridian.protocol.TokenIds;
import dev.meridian.protocol.message.ReplicaCommand;
import dev.meridian.protocol.message.ReplicaCommand.Submit;
import dev.meridian.protocol.message.StreamEvent;
import java.util.List;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * The one way by which a request's words leave an edge. A {@link Passage} is made here alone, for one request and one place that
 * its residency allows; a {@link Submit} is made by a passage alone. So the first attempt, each failover, hand-over and retry
 * has been through here.
 */
final class ResidencyGate {
    private final Replicas replicas;

    ResidencyGate(Replicas replicas) {
        this.replicas = replicas;
    }

    /**
     * The way to the replica that a request's next attempt goes to; empty where none that may have it is known.
     *
     * @param but where the last attempt went: given back only where there is no other; null before the first
     */
    Optional<Passage> open(StreamRequest request, @Nullable ActorRef<ReplicaCommand> but) {
        if (request.onlyAt() != null) {
            return request.probe() ? Optional.of(new Passage(request, request.onlyAt(), null)) : Optional.empty();
        }
        return replicas.replica(request.model(), request.residency(), but)
                .filter(destination -> request.residency().allows(destination.region()))
                .map(destination -> new Passage(request, destination.host(), destination.servedBy()));
    }

    /** What clients are told of a host; null where it is not known. */
    @Nullable
    String servedBy(ActorRef<ReplicaCommand> host) {
        return replicas.destination(host).map(Destination::servedBy).orElse(null);
    }

    /** To one replica for one request. */
    final class Passage {
        private final StreamRequest request;
        private final ActorRef<ReplicaCommand> host;
        private final @Nullable String servedBy;

        private Passage(StreamRequest request, ActorRef<ReplicaCommand> host, @Nullable String servedBy) {
            this.request = request;
            this.host = host;
            this.servedBy = servedBy;
        }

        ActorRef<ReplicaCommand> host() {
            return host;
        }

        /** Null of a health check. */
        @Nullable
        String servedBy() {
            return servedBy;
        }

        /**
         * Sends an attempt.
         *
         * @param emitted by choice, what earlier attempts generated
         * @param finished by choice, whether it has ended
         */
        void submit(
                Attempt attempt,
                Prompt prompt,
                List<TokenIds> emitted,
                List<Boolean> finished,
                ActorRef<StreamEvent> edge) {
            Submit submit = new Submit(
                    attempt,
                    request.model(),
                    replicas.epoch(host),
                    prompt,
                    request.generation(),
                    emitted,
                    finished,
                    request.cacheScope(),
                    request.deadlineEpochMillis(),
                    edge);
            if (attempt.number() == 1 && request.onlyAt() == null) {
                replicas.submitFirst(host, submit);
            } else {
                host.tell(submit);
            }
        }
    }
}

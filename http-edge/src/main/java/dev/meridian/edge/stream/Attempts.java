package dev.meridian.edge.stream;

import dev.meridian.protocol.Refusal;
import dev.meridian.protocol.message.ReplicaCommand;
import dev.meridian.protocol.message.StreamEvent;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Sends attempts to replicas, moves streams to their next one, and takes attempts back. Runs in the mux actor. */
final class Attempts {
    private static final Logger LOG = LoggerFactory.getLogger(EdgeMux.class);

    private static final double NANOS_PER_SECOND = 1e9;
    /** At once: what a fifth of a second earns, at least one. */
    private static final double BURST_SHARE = 5;

    private final ActorContext<EdgeMux.Command> context;
    private final StreamSettings settings;
    private final Replicas replicas;
    private final ResidencyGate gate;
    private final StreamMetrics metrics;
    private final LongSupplier nanoClock;
    private final ActorRef<StreamEvent> edge;
    private final Set<ActorRef<ReplicaCommand>> watched = new HashSet<>();
    private double failovers;
    private long failoversAt;

    Attempts(
            ActorContext<EdgeMux.Command> context,
            StreamSettings settings,
            Replicas replicas,
            StreamMetrics metrics,
            LongSupplier nanoClock) {
        this.context = context;
        this.settings = settings;
        this.replicas = replicas;
        gate = new ResidencyGate(replicas);
        this.metrics = metrics;
        this.nanoClock = nanoClock;
        failovers = burst();
        failoversAt = nanoClock.getAsLong();
        edge = context.messageAdapter(StreamEvent.class, EdgeMux.FromReplica::new);
    }

    /** Who could take the stream over; its own replica where there is no other. */
    Optional<ResidencyGate.Passage> replicaFor(LiveStream stream) {
        return gate.open(stream.request, stream.replica);
    }

    /** Who could serve a new request. */
    Optional<ResidencyGate.Passage> replicaFor(StreamRequest request) {
        return gate.open(request, null);
    }

    /** Whether a request for which there is no replica may wait for one. */
    Optional<Replicas.Coming> coming(StreamRequest request) {
        return request.probe() ? Optional.empty() : replicas.coming(request.model(), request.residency());
    }

    /** Who serves the stream now, as its client is told. */
    String servedBy(LiveStream stream) {
        String known = stream.producer == null ? null : gate.servedBy(stream.producer);
        String asked = stream.passage.servedBy();
        return known != null ? known : asked != null ? asked : "";
    }

    /** Submits the current attempt. */
    void send(LiveStream stream) {
        watch(stream.replica);
        stream.submit(edge);
    }

    /** The current attempt has brought its first token. */
    void firstToken(LiveStream stream, long now) {
        if (stream.isFirstAttempt() && !stream.request.probe()) {
            replicas.firstToken(stream.replica, now - stream.submittedAt);
        }
    }

    /** The stream's attempt was not answered in time. */
    void unanswered(LiveStream stream) {
        if (stream.isFirstAttempt() && stream.request.onlyAt() == null) {
            replicas.firstUnanswered(stream.replica);
        }
    }

    /**
     * Whether one more stream may leave a silent or lost replica now. Each of them costs another replica the whole prompt, and a
     * machine that is merely slow must not be made slower by all of them at once.
     */
    boolean mayFailOver(long now) {
        double earned = (now - failoversAt) * (double) settings.failoversPerSecond() / NANOS_PER_SECOND;
        failovers = Math.min(burst(), failovers + earned);
        failoversAt = now;
        if (failovers < 1) {
            return false;
        }
        failovers--;
        return true;
    }

    private double burst() {
        return Math.max(1, settings.failoversPerSecond() / BURST_SHARE);
    }

    /** Whether the request may use another attempt. */
    boolean left(LiveStream stream) {
        return stream.barrenAttempts < settings.maxAttempts();
    }

    /** Turns to the next attempt, by {@code passage}; false when none is left. */
    boolean next(LiveStream stream, ResidencyGate.Passage passage, AttemptEnd why) {
        if (!left(stream)) {
            return false;
        }
        boolean failover = why.isLoss() || !passage.host().equals(stream.replica);
        cancel(stream);
        stream.startNextAttempt(passage, nanoClock.getAsLong());
        LOG.info("request {} goes to attempt {}: {}", stream.request.id(), stream.attempt.number(), why);
        metrics.routes().goesOn(stream.request, stream.attempt.number(), passage, why);
        if (failover && !stream.request.probe()) {
            metrics.of(stream.request.model()).failover();
        }
        send(stream);
        return true;
    }

    void cancel(LiveStream stream) {
        stream.feeder().tell(new ReplicaCommand.Cancel(stream.attempt));
    }

    /** Death of {@code ref} comes as {@link EdgeMux.ReplicaTerminated}. */
    void watch(ActorRef<ReplicaCommand> ref) {
        if (watched.add(ref)) {
            context.watchWith(ref, new EdgeMux.ReplicaTerminated(ref));
        }
    }

    void forget(ActorRef<ReplicaCommand> dead) {
        watched.remove(dead);
    }

    /** For the operator: what a client is not told. */
    void logIfEngineFailed(LiveStream stream, StreamEnd end) {
        if (end instanceof StreamEnd.Failed(StreamFailure.ByReplica(Refusal.EngineFailed(String message)))) {
            LOG.warn("request {}: the engine failed: {}", stream.request.id(), message);
        }
    }
}

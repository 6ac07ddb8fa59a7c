package dev.meridian.edge.stream;

import dev.meridian.protocol.message.ReplicaCommand;
import dev.meridian.protocol.message.StreamEvent;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.function.LongSupplier;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;

/**
 * The one actor of an edge that all its replicas talk to. It submits requests, takes entries in order from each
 * request's current attempt alone, asks for what got lost, moves a stream whose producer fell silent to the replica
 * that the directory names now, and cancels whatever nobody waits for. It never waits for a client: entries go to
 * journals.
 *
 * <p>States:
 *
 * <ul>
 *   <li>serving: opens streams; Drain leads to draining
 *   <li>draining: refuses new streams, serves the running ones; when the last has ended, or the grace is over and the
 *       rest were failed, it answers Done and stops
 * </ul>
 */
public final class EdgeMux {
    /** What the HTTP side asks. */
    public sealed interface Command {}

    /** Start a stream; entries go to {@code journal} once {@link Opened} was answered. */
    public record Open(StreamRequest request, Journal journal, ActorRef<Opening> replyTo) implements Command {}

    /** Nobody waits for this stream any more. Idempotent; unknown ids are ignored. */
    public record ClientGone(String requestId) implements Command {}

    /** Take no more streams, end the running ones within {@code grace}, answer, stop. */
    public record Drain(Duration grace, ActorRef<Done> replyTo) implements Command {}

    record FromReplica(StreamEvent event) implements Command {}

    record ReplicaTerminated(ActorRef<ReplicaCommand> ref) implements Command {}

    record Tick() implements Command {}

    record GraceOver() implements Command {}

    /** The answer to {@link Open}. */
    public sealed interface Opening {}

    /** A replica queued the request. */
    public record Opened(int promptTokens, String servedBy) implements Opening {}

    public record Rejected(StreamFailure reason) implements Opening {}

    /**
     * Nothing that could serve the request is loaded, and something will be: this comes first, the answer later.
     *
     * @param model what is loaded
     * @param estimateMillis how long that takes; -1 where nobody knows
     * @param later {@link Opened} or {@link Rejected}, completed by the mux's thread
     */
    public record Loading(String model, long estimateMillis, CompletionStage<Opening> later) implements Opening {}

    private final TimerScheduler<Command> timers;
    private final LiveStreams streams;

    private EdgeMux(TimerScheduler<Command> timers, LiveStreams streams) {
        this.timers = timers;
        this.streams = streams;
    }

    /**
     * The mux, serving.
     *
     * @param journals what all journals that come with {@link Open} may hold
     * @param nanoClock like {@link System#nanoTime}
     */
    public static Behavior<Command> create(
            StreamSettings settings,
            Replicas replicas,
            JournalBudget journals,
            StreamMetrics metrics,
            LongSupplier nanoClock) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers -> {
            timers.startTimerWithFixedDelay(new Tick(), settings.tick());
            Attempts attempts = new Attempts(context, settings, replicas, metrics, nanoClock);
            Readers readers = new Readers(settings, journals);
            return new EdgeMux(timers, new LiveStreams(attempts, settings, readers, metrics, nanoClock)).serving();
        }));
    }

    private Behavior<Command> serving() {
        return Behaviors.receiveMessage(command -> {
            switch (command) {
                case Open open -> streams.open(open);
                case ClientGone gone -> streams.clientGone(gone.requestId());
                case Drain drain -> {
                    return onDrain(drain);
                }
                case FromReplica from -> streams.on(from.event());
                case ReplicaTerminated terminated -> streams.replicaTerminated(terminated.ref());
                case Tick _ -> streams.tick();
                case GraceOver _ -> throw new IllegalStateException("the grace is over while serving, not draining");
            }
            return Behaviors.same();
        });
    }

    private Behavior<Command> onDrain(Drain drain) {
        timers.startSingleTimer(new GraceOver(), drain.grace());
        return draining(drain.replyTo());
    }

    private Behavior<Command> draining(ActorRef<Done> replyTo) {
        if (streams.isEmpty()) {
            replyTo.tell(Done.getInstance());
            return Behaviors.stopped();
        }
        return Behaviors.receiveMessage(command -> {
            switch (command) {
                case Open open -> open.replyTo().tell(new Rejected(new StreamFailure.ShuttingDown()));
                case ClientGone gone -> streams.clientGone(gone.requestId());
                case Drain _ -> {}
                case FromReplica from -> streams.on(from.event());
                case ReplicaTerminated terminated -> streams.replicaTerminated(terminated.ref());
                case Tick _ -> streams.tick();
                case GraceOver _ -> streams.failAll(new StreamFailure.ShuttingDown());
            }
            return streams.isEmpty() ? draining(replyTo) : Behaviors.same();
        });
    }
}

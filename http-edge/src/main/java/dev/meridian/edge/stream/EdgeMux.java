package dev.meridian.edge.stream;

import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.Entry;
import dev.meridian.protocol.Refusal;
import dev.meridian.protocol.message.ReplicaCommand;
import dev.meridian.protocol.message.StreamEvent;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;

/**
 * The one actor of an edge that all its replicas talk to. It submits requests, takes entries in order from each request's
 * current attempt alone, asks for what got lost, moves a stream whose producer fell silent to the replica that the directory
 * names now, and cancels whatever nobody waits for. It never waits for a client: entries go to journals.
 *
 * <p>States:
 *
 * <ul>
 *   <li>serving: opens streams; Drain leads to draining
 *   <li>draining: refuses new streams, serves the running ones; when the last has ended, or the grace is over and the rest
 *       were failed, it answers Done and stops
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

    private record FromReplica(StreamEvent event) implements Command {}

    private record ReplicaTerminated(ActorRef<ReplicaCommand> ref) implements Command {}

    private record Tick() implements Command {}

    private record GraceOver() implements Command {}

    /** The answer to {@link Open}. */
    public sealed interface Opening {}

    /** A replica queued the request. */
    public record Opened(int promptTokens) implements Opening {}

    public record Rejected(StreamFailure reason) implements Opening {}

    private final ActorContext<Command> context;
    private final TimerScheduler<Command> timers;
    private final StreamSettings settings;
    private final Function<String, Optional<ActorRef<ReplicaCommand>>> directory;
    private final StreamMetrics metrics;
    private final LongSupplier nanoClock;
    private final ActorRef<StreamEvent> self;
    private final Map<String, LiveStream> streams = new HashMap<>();
    private final Map<ActorRef<ReplicaCommand>, ProducerPulse> pulses = new HashMap<>();
    private final Set<ActorRef<ReplicaCommand>> watched = new HashSet<>();
    private final List<LiveStream> touched = new ArrayList<>();

    private EdgeMux(
            ActorContext<Command> context,
            TimerScheduler<Command> timers,
            StreamSettings settings,
            Function<String, Optional<ActorRef<ReplicaCommand>>> directory,
            StreamMetrics metrics,
            LongSupplier nanoClock) {
        this.context = context;
        this.timers = timers;
        this.settings = settings;
        this.directory = directory;
        this.metrics = metrics;
        this.nanoClock = nanoClock;
        self = context.messageAdapter(StreamEvent.class, FromReplica::new);
    }

    /**
     * The mux, serving.
     *
     * @param directory the replica that serves a model now; read on the actor's thread, so it must not block
     * @param nanoClock like {@link System#nanoTime}
     */
    public static Behavior<Command> create(
            StreamSettings settings,
            Function<String, Optional<ActorRef<ReplicaCommand>>> directory,
            StreamMetrics metrics,
            LongSupplier nanoClock) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers -> {
            timers.startTimerWithFixedDelay(new Tick(), settings.tick());
            return new EdgeMux(context, timers, settings, directory, metrics, nanoClock).serving();
        }));
    }

    private Behavior<Command> serving() {
        return Behaviors.receiveMessage(command -> switch (command) {
            case Open open -> onOpen(open);
            case ClientGone gone -> onClientGone(gone);
            case Drain drain -> onDrain(drain);
            case FromReplica from -> onEvent(from.event());
            case ReplicaTerminated terminated -> onTerminated(terminated.ref());
            case Tick _ -> onTick();
            case GraceOver _ -> throw new IllegalStateException("the grace is over while serving, not draining");
        });
    }

    private Behavior<Command> draining(ActorRef<Done> replyTo) {
        if (streams.isEmpty()) {
            replyTo.tell(Done.getInstance());
            return Behaviors.stopped();
        }
        return Behaviors.receiveMessage(command -> {
            switch (command) {
                case Open open -> open.replyTo().tell(new Rejected(new StreamFailure.ShuttingDown()));
                case ClientGone gone -> onClientGone(gone);
                case Drain _ -> {}
                case FromReplica from -> onEvent(from.event());
                case ReplicaTerminated terminated -> onTerminated(terminated.ref());
                case Tick _ -> onTick();
                case GraceOver _ ->
                    List.copyOf(streams.values()).forEach(stream -> fail(stream, new StreamFailure.ShuttingDown()));
            }
            return streams.isEmpty() ? draining(replyTo) : Behaviors.same();
        });
    }

    private Behavior<Command> onDrain(Drain drain) {
        timers.startSingleTimer(new GraceOver(), drain.grace());
        return draining(drain.replyTo());
    }

    private Behavior<Command> onOpen(Open open) {
        StreamRequest request = open.request();
        Optional<ActorRef<ReplicaCommand>> replica = directory.apply(request.model());
        if (streams.size() >= settings.maxStreams()) {
            open.replyTo().tell(new Rejected(new StreamFailure.TooManyStreams(settings.maxStreams())));
        } else if (metrics.journalBytes().get() > settings.maxJournalBytes()) {
            open.replyTo().tell(new Rejected(new StreamFailure.JournalFull(settings.maxJournalBytes())));
        } else if (replica.isEmpty()) {
            open.replyTo().tell(new Rejected(new StreamFailure.ByReplica(new Refusal.ModelUnknown(request.model()))));
        } else {
            LiveStream stream =
                    new LiveStream(request, open.journal(), open.replyTo(), replica.get(), nanoClock.getAsLong());
            if (streams.putIfAbsent(request.id(), stream) != null) {
                throw new IllegalArgumentException("request " + request.id() + " is open already");
            }
            metrics.activeStreams(streams.size());
            send(stream);
        }
        return Behaviors.same();
    }

    private Behavior<Command> onClientGone(ClientGone gone) {
        LiveStream stream = streams.get(gone.requestId());
        if (stream != null) {
            cancel(stream);
            close(stream, new StreamEnd.Abandoned());
        }
        return Behaviors.same();
    }

    private Behavior<Command> onEvent(StreamEvent event) {
        switch (event) {
            case StreamEvent.StepBatch batch -> onBatch(batch);
            case StreamEvent.Heartbeat heartbeat -> onHeartbeat(heartbeat);
            case StreamEvent.Accepted accepted -> onAccepted(accepted);
            case StreamEvent.Refused refused -> onRefused(refused);
        }
        return Behaviors.same();
    }

    private void onAccepted(StreamEvent.Accepted accepted) {
        LiveStream stream = streams.get(accepted.attempt().requestId());
        if (stream == null || !stream.attempt.equals(accepted.attempt()) || stream.producer != null) {
            accepted.producer().tell(new ReplicaCommand.Cancel(accepted.attempt()));
            return;
        }
        long now = nanoClock.getAsLong();
        watch(accepted.producer());
        pulses.computeIfAbsent(accepted.producer(), _ -> new ProducerPulse(now));
        stream.accept(accepted, now);
        if (!stream.request.probe()) {
            metrics.of(stream.request.model()).accepted(accepted.promptIds().size());
        }
        if (!stream.opened) {
            stream.opened = true;
            stream.replyTo.tell(new Opened(accepted.promptIds().size()));
        }
    }

    private void onRefused(StreamEvent.Refused refused) {
        LiveStream stream = streams.get(refused.attempt().requestId());
        if (stream == null || !stream.attempt.equals(refused.attempt())) {
            return;
        }
        StreamFailure failure = new StreamFailure.ByReplica(refused.reason());
        if (!mayPassElsewhere(refused.reason())) {
            close(stream, new StreamEnd.Failed(failure));
            return;
        }
        Optional<ActorRef<ReplicaCommand>> other = directory.apply(stream.request.model());
        if (other.isPresent() && !other.get().equals(stream.replica)) {
            nextAttempt(stream, other.get(), failure);
        } else if (stream.attempt.number() > 1 && other.isPresent()) {
            // A stream that was already moved waits for room instead of breaking off in the client's face.
            stream.retryAt = nanoClock.getAsLong() + settings.acceptTimeout().toNanos();
        } else {
            close(stream, new StreamEnd.Failed(failure));
        }
    }

    /** Whether the refusal is about the replica's state and not about the request. */
    private static boolean mayPassElsewhere(Refusal reason) {
        return switch (reason) {
            case Refusal.QueueFull _, Refusal.ModelNotReady _, Refusal.EngineFailed _, Refusal.DuplicateAttempt _ ->
                true;
            case Refusal.PromptTooLong _,
                    Refusal.KvBudgetExceeded _,
                    Refusal.ModelUnknown _,
                    Refusal.InvalidRequest _,
                    Refusal.TemplateFailed _,
                    Refusal.DeadlineExceeded _ -> false;
        };
    }

    private void onBatch(StreamEvent.StepBatch batch) {
        long now = nanoClock.getAsLong();
        hear(batch.producer(), batch.step(), now);
        for (Entry entry : batch.entries()) {
            onEntry(entry, batch.producer(), now);
        }
        for (LiveStream stream : touched) {
            stream.touched = false;
            if (stream.allFinished()) {
                close(stream, new StreamEnd.Finished());
            } else {
                stream.journal.flush();
            }
        }
        touched.clear();
    }

    private void onEntry(Entry entry, ActorRef<ReplicaCommand> producer, long now) {
        LiveStream stream = streams.get(entry.attempt().requestId());
        if (stream == null) {
            producer.tell(new ReplicaCommand.Cancel(entry.attempt()));
            return;
        }
        switch (stream.take(entry, producer)) {
            case TAKEN -> onTaken(stream, entry, now);
            case GAP -> onGap(stream, entry, producer);
            case FOREIGN -> producer.tell(new ReplicaCommand.Cancel(entry.attempt()));
            case DUPLICATE -> {}
        }
    }

    private void onTaken(LiveStream stream, Entry entry, long now) {
        stream.aliveAt = now;
        long gap = stream.gapSinceLastEntry(entry.choice(), now);
        if (!stream.request.probe()) {
            StreamMetrics.OfModel meters = metrics.of(stream.request.model());
            meters.token(gap);
            if (entry.timings() != null) {
                meters.finished(entry.timings());
            }
        }
        if (stream.overrun(entry.choice())) {
            fail(stream, new StreamFailure.ByReplica(new Refusal.EngineFailed("more tokens than were asked for")));
        } else if (!stream.touched) {
            stream.touched = true;
            touched.add(stream);
        }
    }

    private void onGap(LiveStream stream, Entry entry, ActorRef<ReplicaCommand> producer) {
        if (stream.producer == null || !stream.asksFirstTime(entry.choice())) {
            return;
        }
        if (stream.resends++ < settings.maxResends()) {
            producer.tell(new ReplicaCommand.Resend(stream.attempt, entry.choice(), stream.nextIndex(entry.choice())));
        } else {
            directory
                    .apply(stream.request.model())
                    .ifPresent(replica ->
                            nextAttempt(stream, replica, new StreamFailure.AttemptsExhausted(settings.maxAttempts())));
        }
    }

    private void onHeartbeat(StreamEvent.Heartbeat heartbeat) {
        long now = nanoClock.getAsLong();
        ActorRef<ReplicaCommand> producer = heartbeat.producer();
        hear(producer, heartbeat.step(), now);
        for (Attempt attempt : heartbeat.live()) {
            LiveStream stream = streams.get(attempt.requestId());
            if (stream == null
                    || !stream.attempt.equals(attempt)
                    || (stream.producer != null && !stream.producer.equals(producer))) {
                producer.tell(new ReplicaCommand.Cancel(attempt));
            } else {
                stream.aliveAt = now;
            }
        }
    }

    private Behavior<Command> onTerminated(ActorRef<ReplicaCommand> dead) {
        watched.remove(dead);
        pulses.remove(dead);
        for (LiveStream stream : List.copyOf(streams.values())) {
            if (dead.equals(stream.producer) || (stream.producer == null && dead.equals(stream.replica))) {
                Optional<ActorRef<ReplicaCommand>> other = directory.apply(stream.request.model());
                StreamFailure lost = new StreamFailure.ReplicaLost(stream.request.model());
                if (other.isPresent() && !other.get().equals(dead)) {
                    nextAttempt(stream, other.get(), lost);
                } else {
                    fail(stream, lost);
                }
            }
        }
        return Behaviors.same();
    }

    private Behavior<Command> onTick() {
        long now = nanoClock.getAsLong();
        for (LiveStream stream : List.copyOf(streams.values())) {
            if (now - stream.deadlineAt >= 0) {
                fail(stream, new StreamFailure.ByReplica(new Refusal.DeadlineExceeded()));
            } else if (stream.retryAt != 0) {
                retryIfDue(stream, now);
            } else if (stream.producer == null) {
                resubmitIfUnanswered(stream, now);
            } else {
                moveIfSilent(stream, stream.producer, now);
            }
        }
        return Behaviors.same();
    }

    private void retryIfDue(LiveStream stream, long now) {
        if (now - stream.retryAt >= 0) {
            Optional<ActorRef<ReplicaCommand>> replica = directory.apply(stream.request.model());
            StreamFailure lost = new StreamFailure.ReplicaLost(stream.request.model());
            if (replica.isPresent()) {
                nextAttempt(stream, replica.get(), lost);
            } else {
                fail(stream, lost);
            }
        }
    }

    private void resubmitIfUnanswered(LiveStream stream, long now) {
        // Doubling: a replica that is merely slow to tokenise is not buried under copies of the same work.
        long patience = settings.acceptTimeout().toNanos() << Math.min(stream.attempt.number() - 1, 10);
        if (now - stream.submittedAt >= patience && stream.attempt.number() < settings.maxAttempts()) {
            directory
                    .apply(stream.request.model())
                    .ifPresent(replica ->
                            nextAttempt(stream, replica, new StreamFailure.ReplicaLost(stream.request.model())));
        }
    }

    /**
     * An attempt that its producer no longer lists starts anew wherever the directory says, the same replica included. A
     * producer that is silent or stuck loses the stream only when there is another one: alone and alive, it may recover.
     */
    private void moveIfSilent(LiveStream stream, ActorRef<ReplicaCommand> producer, long now) {
        ProducerPulse pulse = pulses.computeIfAbsent(producer, _ -> new ProducerPulse(now));
        long silence = settings.heartbeatSilence().toNanos();
        boolean unmentioned = now - stream.aliveAt >= silence;
        boolean speaks = now - pulse.heardAt() < silence;
        boolean stuck = now - Math.max(pulse.steppedAt(), stream.submittedAt)
                >= settings.stepStall().toNanos();
        if (unmentioned || stuck) {
            Optional<ActorRef<ReplicaCommand>> replica = directory.apply(stream.request.model());
            boolean forgotten = unmentioned && speaks;
            if (replica.isPresent() && (forgotten || !replica.get().equals(stream.replica))) {
                nextAttempt(stream, replica.get(), new StreamFailure.ReplicaLost(stream.request.model()));
            }
        }
    }

    /** Moves on to the next attempt; when none is left, the stream ends for the reason of the last. */
    private void nextAttempt(LiveStream stream, ActorRef<ReplicaCommand> replica, StreamFailure reason) {
        if (stream.attempt.number() >= settings.maxAttempts()) {
            fail(stream, reason);
            return;
        }
        cancel(stream);
        stream.startNextAttempt(replica, nanoClock.getAsLong());
        context.getLog()
                .info("request {} goes to attempt {}: {}", stream.request.id(), stream.attempt.number(), reason);
        if (!stream.request.probe()) {
            metrics.of(stream.request.model()).nextAttempt();
        }
        send(stream);
    }

    private void send(LiveStream stream) {
        watch(stream.replica);
        stream.replica.tell(stream.submit(self));
    }

    private void watch(ActorRef<ReplicaCommand> ref) {
        if (watched.add(ref)) {
            context.watchWith(ref, new ReplicaTerminated(ref));
        }
    }

    /** Only producers that feed a stream are remembered; strangers leave no trace. */
    private void hear(ActorRef<ReplicaCommand> producer, long step, long now) {
        ProducerPulse pulse = pulses.get(producer);
        if (pulse != null) {
            pulse.hear(step, now);
        }
    }

    private void cancel(LiveStream stream) {
        stream.feeder().tell(new ReplicaCommand.Cancel(stream.attempt));
    }

    private void fail(LiveStream stream, StreamFailure reason) {
        cancel(stream);
        close(stream, new StreamEnd.Failed(reason));
    }

    private void close(LiveStream stream, StreamEnd end) {
        if (!stream.opened) {
            stream.replyTo.tell(new Rejected(
                    end instanceof StreamEnd.Failed failed ? failed.reason() : new StreamFailure.ClientLeft()));
        }
        if (end instanceof StreamEnd.Failed(StreamFailure.ByReplica(Refusal.EngineFailed(String message)))) {
            context.getLog().warn("request {}: the engine failed: {}", stream.request.id(), message);
        }
        streams.remove(stream.request.id());
        metrics.activeStreams(streams.size());
        stream.journal.end(end);
        stream.journal.flush();
    }
}

package dev.meridian.actors;

import dev.meridian.engine.Engine;
import dev.meridian.engine.SequenceRequest;
import dev.meridian.engine.StepListener;
import dev.meridian.engine.text.Encoded;
import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.Entry;
import dev.meridian.protocol.Prompt;
import dev.meridian.protocol.Refusal;
import dev.meridian.protocol.TokenIds;
import dev.meridian.protocol.message.ReplicaCommand;
import dev.meridian.protocol.message.ReplicaCommand.Cancel;
import dev.meridian.protocol.message.ReplicaCommand.Resend;
import dev.meridian.protocol.message.ReplicaCommand.Submit;
import dev.meridian.protocol.message.StreamEvent;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.Signal;
import org.apache.pekko.actor.typed.Terminated;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Feeds the streams of one loaded variant. An attempt goes through these states:
 *
 * <pre>
 * Submit -> preparing (template, tokens; on its own dispatcher)
 *        -> refused: Refused, forgotten
 *        -> live: Accepted, then its entries in StepBatches, heartbeats meanwhile
 *             -> last entry of the last choice: ended, kept for Resend during the resend window
 *             -> Cancel, a later attempt, or its edge's death: engine told, forgotten
 *             -> deadline or engine failure: Refused, forgotten
 * </pre>
 *
 * <p>A host that is told to drain refuses what comes, and stops when nothing is live.
 *
 * <p>Engine calls never wait for a step, so nothing here blocks. The engine belongs to whoever loaded it and outlives the
 * actor. A failed engine is not restarted over its half-used native state: all that is live is refused, and so is what comes.
 */
public final class ModelHost {
    private static final Logger LOG = LoggerFactory.getLogger(ModelHost.class);
    /**
     * Entries of one message. One over the transport's frame size would vanish; and of a step with many rows the edge
     * writes the first to its clients while the last are still on their way.
     */
    private static final int BATCH_ENTRIES = 16;
    /** After its last attempt a host that drains still sends again what an edge missed. */
    private static final Duration LINGER = Duration.ofSeconds(1);

    /** What the host hears; edges talk to it through the adapter that {@link #create} hands out. */
    public sealed interface Command {}

    private record FromEdge(ReplicaCommand command) implements Command {}

    private record Prepared(LiveAttempt live, Encoded prompt) implements Command {}

    private record StepMade(long step, List<Entry> entries) implements Command {}

    private record EngineRefused(Attempt attempt, Refusal reason) implements Command {}

    private record EngineFailed(Throwable cause) implements Command {}

    private record Forget(Attempt attempt) implements Command {}

    /**
     * Take no more attempts; those that run may go on until {@code deadline}, then their edges are told to hand them over to
     * others. What is still here after the setting's {@code handOver} is refused. The actor stops once nothing runs and nobody
     * can miss an entry any more. Said again it may only bring the end nearer.
     */
    public record Drain(Duration deadline) implements Command {}

    /** The replica's pin is of that generation now: attempts of edges that know a newer one are not for this host. */
    public record Pinned(long generation) implements Command {}

    private enum DrainTimer implements Command {
        DEADLINE,
        HAND_OVER_DEADLINE,
        LINGERED
    }

    private enum Beat implements Command {
        NOW
    }

    private final ActorContext<Command> context;
    private final String model;
    private final Function<Prompt, Encoded> encoder;
    private final HostSettings settings;
    private final Clock clock;
    private final LongSupplier nanoClock;
    private final TimerScheduler<Command> timers;
    private final ActorRef<ReplicaCommand> self;
    private final Executor preparing;
    private final Engine engine;
    /** By request: of a request only one attempt lives. */
    private final Map<String, LiveAttempt> live = new HashMap<>();

    /** In the order in which they ended. */
    private final Map<Attempt, LiveAttempt> ended = new LinkedHashMap<>();

    private final KeptEntries kept;
    private final NewestAttempts newest;
    private final Map<ActorRef<StreamEvent>, Integer> edges = new HashMap<>();
    private int inPreparation;
    private boolean failed;
    private boolean draining;
    private long generation;
    private long drainEndNanos;

    private ModelHost(
            ActorContext<Command> context,
            TimerScheduler<Command> timers,
            String model,
            Function<Prompt, Encoded> encoder,
            Function<StepListener, Engine> startEngine,
            HostSettings settings,
            Clock clock,
            LongSupplier nanoClock) {
        this.context = context;
        this.timers = timers;
        this.model = model;
        this.encoder = encoder;
        this.settings = settings;
        this.clock = clock;
        this.nanoClock = nanoClock;
        newest = new NewestAttempts(settings.rememberedRequests(), live::containsKey);
        kept = new KeptEntries(settings.resendEntries(), settings.resendBytes());
        self = context.messageAdapter(ReplicaCommand.class, FromEdge::new);
        preparing = context.getSystem()
                .dispatchers()
                .lookup(DispatcherSelector.fromConfig("meridian.host.prepare-dispatcher"));
        engine = startEngine.apply(new Relay(context.getSelf()));
        timers.startTimerWithFixedDelay(Beat.NOW, settings.heartbeatInterval());
    }

    /**
     * A host of {@code model}.
     *
     * @param encoder templates and tokenises; called on the prepare dispatcher, several at a time
     * @param startEngine starts the engine with the given listener; the caller closes it once the actor has stopped
     * @param ready gets the reference that edges submit to, once
     * @param nanoClock the engine's clock
     */
    public static Behavior<Command> create(
            String model,
            Function<Prompt, Encoded> encoder,
            Function<StepListener, Engine> startEngine,
            HostSettings settings,
            Clock clock,
            LongSupplier nanoClock,
            CompletableFuture<ActorRef<ReplicaCommand>> ready) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers -> {
            ModelHost host = new ModelHost(context, timers, model, encoder, startEngine, settings, clock, nanoClock);
            ready.complete(host.self);
            return host.running();
        }));
    }

    private Behavior<Command> running() {
        return Behaviors.receive((_, command) -> onCommand(command), (_, signal) -> onSignal(signal));
    }

    private Behavior<Command> onCommand(Command command) {
        switch (command) {
            case FromEdge(Submit submit) -> onSubmit(submit);
            case FromEdge(Cancel cancel) -> onCancel(cancel.attempt());
            case FromEdge(Resend resend) -> onResend(resend);
            case Prepared prepared -> onPrepared(prepared);
            case StepMade made -> onStepMade(made);
            case EngineRefused refused -> onEngineRefused(refused);
            case EngineFailed ended -> onEngineFailed(ended.cause());
            case Forget(Attempt attempt) -> forget(attempt);
            case Beat.NOW -> onBeat();
            case Drain drain -> onDrain(drain);
            case Pinned(long newest) -> generation = newest;
            case DrainTimer.DEADLINE -> onDrainDeadline();
            case DrainTimer.HAND_OVER_DEADLINE -> onHandOverDeadline();
            case DrainTimer.LINGERED -> {
                return Behaviors.stopped();
            }
        }
        if (draining && live.isEmpty() && !timers.isTimerActive(DrainTimer.LINGERED)) {
            timers.startSingleTimer(DrainTimer.LINGERED, LINGER);
        }
        return Behaviors.same();
    }

    private Behavior<Command> onSignal(Signal signal) {
        if (signal instanceof Terminated terminated) {
            ActorRef<?> gone = terminated.getRef();
            List<Attempt> orphans = live.values().stream()
                    .filter(attempt -> gone.equals(attempt.edge()))
                    .map(LiveAttempt::attempt)
                    .toList();
            orphans.forEach(this::onCancel);
        }
        return Behaviors.same();
    }

    private void onSubmit(Submit submit) {
        Optional<Refusal> refusal = admit(submit);
        if (refusal.isPresent()) {
            submit.edge().tell(new StreamEvent.Refused(submit.attempt(), refusal.get()));
            return;
        }
        LiveAttempt older = live.get(submit.attempt().requestId());
        if (older != null) {
            onCancel(older.attempt());
        }
        LiveAttempt attempt = new LiveAttempt(submit, kept);
        track(attempt);
        inPreparation++;
        // Ids need no tokenizer: a stream that goes on here does not wait behind others' long prompts.
        Executor where = submit.prompt() instanceof Prompt.Tokens ? Runnable::run : preparing;
        context.pipeToSelf(
                CompletableFuture.supplyAsync(() -> prepare(attempt), where),
                (encoded, failure) -> new Prepared(attempt, encoded != null ? encoded : refusedUnprepared(failure)));
    }

    private Encoded prepare(LiveAttempt attempt) {
        return attempt.isCancelled()
                ? new Encoded.Refused(new Refusal.DeadlineExceeded()) // Nobody hears it.
                : encoder.apply(attempt.submit().prompt());
    }

    /** By its kind alone: an exception's message may quote the prompt. */
    private static Encoded refusedUnprepared(@Nullable Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        String kind = cause == null ? "nothing" : cause.getClass().getSimpleName();
        return new Encoded.Refused(new Refusal.EngineFailed("preparing a prompt: " + kind));
    }

    private Optional<Refusal> admit(Submit submit) {
        if (failed || draining || submit.epoch() > generation) {
            return Optional.of(new Refusal.ModelNotReady(model));
        }
        if (newest.hasSeen(submit.attempt())) {
            return Optional.of(new Refusal.DuplicateAttempt());
        }
        if (submit.deadlineEpochMillis() <= clock.millis()) {
            return Optional.of(new Refusal.DeadlineExceeded());
        }
        if (!submit.finished().contains(false)) {
            return Optional.of(new Refusal.InvalidRequest("n", "every choice has ended before"));
        }
        if (inPreparation >= settings.prepareCapacity()) {
            return Optional.of(new Refusal.QueueFull(settings.prepareCapacity()));
        }
        return Optional.empty();
    }

    private void onDrain(Drain drain) {
        long end = nanoClock.getAsLong() + drain.deadline().toNanos();
        if (!draining || end - drainEndNanos < 0) {
            draining = true;
            drainEndNanos = end;
            timers.startSingleTimer(DrainTimer.DEADLINE, drain.deadline());
        }
    }

    private void onDrainDeadline() {
        edges.keySet().forEach(edge -> edge.tell(new StreamEvent.HandOver(self)));
        timers.startSingleTimer(DrainTimer.HAND_OVER_DEADLINE, settings.handOver());
    }

    private void onHandOverDeadline() {
        for (LiveAttempt attempt : List.copyOf(live.values())) {
            engine.cancel(attempt.attempt());
            refuse(attempt, new Refusal.ModelNotReady(model));
        }
    }

    private void onPrepared(Prepared prepared) {
        inPreparation--;
        LiveAttempt attempt = prepared.live();
        if (live.get(attempt.attempt().requestId()) != attempt) {
            return; // Cancelled meanwhile.
        }
        Optional<Refusal> refusal = switch (prepared.prompt()) {
            case Encoded.Refused(Refusal reason) -> Optional.of(reason);
            case Encoded.Ids(TokenIds ids) -> start(attempt, ids);
        };
        refusal.ifPresent(reason -> refuse(attempt, reason));
    }

    /** Accepted goes out before the engine can have made an entry: its steps come through this actor's own mailbox. */
    private Optional<Refusal> start(LiveAttempt attempt, TokenIds promptIds) {
        Submit submit = attempt.submit();
        long millisLeft = submit.deadlineEpochMillis() - clock.millis();
        long deadline = nanoClock.getAsLong() + TimeUnit.MILLISECONDS.toNanos(millisLeft);
        List<SequenceRequest> choices = new ArrayList<>();
        for (int choice = 0; choice < submit.generation().choices(); choice++) {
            if (!submit.finished().get(choice)) {
                choices.add(new SequenceRequest(
                        submit.attempt(),
                        choice,
                        promptIds,
                        submit.emitted().get(choice),
                        submit.generation(),
                        submit.cacheScope(),
                        deadline));
            }
        }
        Optional<Refusal> refusal = engine.submit(choices);
        if (refusal.isEmpty()) {
            attempt.edge().tell(new StreamEvent.Accepted(attempt.attempt(), self, promptIds));
        }
        return refusal;
    }

    private void onStepMade(StepMade made) {
        Map<ActorRef<StreamEvent>, List<Entry>> batches = new HashMap<>();
        for (Entry entry : made.entries()) {
            LiveAttempt attempt = liveAttempt(entry.attempt());
            if (attempt == null) {
                continue; // Cancelled while the step ran.
            }
            attempt.record(entry);
            List<Entry> batch = batches.computeIfAbsent(attempt.edge(), _ -> new ArrayList<>(BATCH_ENTRIES));
            if (batch.size() == BATCH_ENTRIES || endsFirsts(batch, entry)) {
                attempt.edge().tell(new StreamEvent.StepBatch(self, made.step(), batch));
                batch.clear();
            }
            batch.add(entry);
            if (attempt.isFinished()) {
                retire(attempt);
            }
        }
        batches.forEach((edge, entries) -> edge.tell(new StreamEvent.StepBatch(self, made.step(), entries)));
    }

    /** First tokens, which are in front, go by themselves: whoever waits for one does not wait for the whole step. */
    private static boolean endsFirsts(List<Entry> batch, Entry next) {
        return !batch.isEmpty() && batch.getLast().index() == 0 && next.index() > 0;
    }

    private void retire(LiveAttempt attempt) {
        untrack(attempt);
        ended.put(attempt.attempt(), attempt);
        if (ended.size() > settings.resendAttempts()) {
            forget(ended.keySet().iterator().next());
        }
        timers.startSingleTimer(attempt.attempt(), new Forget(attempt.attempt()), settings.resendWindow());
    }

    private void forget(Attempt gone) {
        LiveAttempt attempt = ended.remove(gone);
        if (attempt != null) {
            attempt.forgetEntries();
        }
    }

    private void onResend(Resend resend) {
        LiveAttempt alive = liveAttempt(resend.attempt());
        LiveAttempt attempt = alive != null ? alive : ended.get(resend.attempt());
        if (attempt == null) {
            return;
        }
        Optional<List<Entry>> found = attempt.from(resend.choice(), resend.fromIndex());
        if (found.isEmpty()) {
            StreamEvent event = new StreamEvent.EntriesForgotten(resend.attempt(), resend.choice(), resend.fromIndex());
            attempt.edge().tell(event);
            return;
        }
        List<Entry> missing = found.get();
        for (int at = 0; at < missing.size(); at += BATCH_ENTRIES) {
            List<Entry> slice = missing.subList(at, Math.min(at + BATCH_ENTRIES, missing.size()));
            attempt.edge().tell(new StreamEvent.StepBatch(self, engine.stats().step(), slice));
        }
    }

    private @Nullable LiveAttempt liveAttempt(Attempt attempt) {
        LiveAttempt found = live.get(attempt.requestId());
        return found != null && found.attempt().equals(attempt) ? found : null;
    }

    private void onCancel(Attempt gone) {
        LiveAttempt attempt = liveAttempt(gone);
        if (attempt != null) {
            attempt.cancel();
            untrack(attempt);
            attempt.forgetEntries();
            engine.cancel(gone);
        }
        forget(gone);
    }

    private void onEngineRefused(EngineRefused refused) {
        LiveAttempt attempt = liveAttempt(refused.attempt());
        if (attempt != null) {
            refuse(attempt, refused.reason());
        }
    }

    private void onEngineFailed(Throwable cause) {
        failed = true;
        LOG.error("model {}: the engine failed; the model serves no more", model, cause);
        List.copyOf(live.values()).forEach(attempt -> refuse(attempt, new Refusal.ModelNotReady(model)));
    }

    private void onBeat() {
        Map<ActorRef<StreamEvent>, List<Attempt>> byEdge = new HashMap<>();
        for (LiveAttempt attempt : live.values()) {
            byEdge.computeIfAbsent(attempt.edge(), _ -> new ArrayList<>()).add(attempt.attempt());
        }
        long step = engine.stats().step();
        byEdge.forEach((edge, attempts) -> edge.tell(new StreamEvent.Heartbeat(self, step, attempts)));
    }

    private void refuse(LiveAttempt attempt, Refusal reason) {
        untrack(attempt);
        attempt.forgetEntries();
        attempt.edge().tell(new StreamEvent.Refused(attempt.attempt(), reason));
    }

    private void track(LiveAttempt attempt) {
        live.put(attempt.attempt().requestId(), attempt);
        newest.see(attempt.attempt());
        if (edges.merge(attempt.edge(), 1, Integer::sum) == 1) {
            context.watch(attempt.edge());
        }
    }

    private void untrack(LiveAttempt attempt) {
        live.remove(attempt.attempt().requestId());
        if (edges.merge(attempt.edge(), -1, Integer::sum) == 0) {
            edges.remove(attempt.edge());
            context.unwatch(attempt.edge());
        }
    }

    /** Carries what the engine thread says into the actor's mailbox. */
    private record Relay(ActorRef<Command> host) implements StepListener {
        @Override
        public void onStep(long step, List<Entry> entries) {
            host.tell(new StepMade(step, entries));
        }

        @Override
        public void onRefused(Attempt attempt, Refusal reason) {
            host.tell(new EngineRefused(attempt, reason));
        }

        @Override
        public void onFailed(Throwable cause) {
            host.tell(new EngineFailed(cause));
        }
    }
}

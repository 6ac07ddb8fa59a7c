package dev.meridian.edge.stream;

import dev.meridian.edge.stream.EdgeMux.Open;
import dev.meridian.edge.stream.EdgeMux.Opened;
import dev.meridian.edge.stream.EdgeMux.Rejected;
import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.Entry;
import dev.meridian.protocol.Refusal;
import dev.meridian.protocol.message.ReplicaCommand;
import dev.meridian.protocol.message.StreamEvent;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.apache.pekko.actor.typed.ActorRef;

/** The running streams of one mux and what each event does to them. Runs in the mux actor. */
final class LiveStreams {
    /**
     * A replica without a live attempt of this edge sends it no heartbeats, so one that lost the last batch of a stream
     * and one that is cut off look alike. After this many silences its own stream may be asked of it again.
     */
    private static final int SILENCES_UNTIL_SAME_REPLICA = 3;

    private static final int MOST_DOUBLINGS = 4;

    /** How often a new stream waits for a replica that says that it is not ready. */
    private static final int WAITS_UNTIL_READY = 2;

    private final Attempts attempts;
    private final StreamSettings settings;
    private final Readers readers;
    private final StreamMetrics metrics;
    private final LongSupplier nanoClock;
    private final Waiters waiters;
    private final Map<String, LiveStream> streams = new HashMap<>();
    private final Map<ActorRef<ReplicaCommand>, ProducerPulse> pulses = new HashMap<>();
    private final List<LiveStream> touched = new ArrayList<>();
    private final HandOvers handOvers = new HandOvers();
    private int probes;

    LiveStreams(
            Attempts attempts,
            StreamSettings settings,
            Readers readers,
            StreamMetrics metrics,
            LongSupplier nanoClock) {
        this.attempts = attempts;
        this.settings = settings;
        this.readers = readers;
        this.metrics = metrics;
        this.nanoClock = nanoClock;
        waiters = new Waiters(attempts, settings, metrics.demand());
    }

    boolean isEmpty() {
        return streams.isEmpty() && waiters.isEmpty();
    }

    void open(Open open) {
        StreamRequest request = open.request();
        if (streams.containsKey(request.id()) || waiters.contains(request.id())) {
            throw new IllegalArgumentException("request " + request.id() + " is open already");
        }
        long now = nanoClock.getAsLong();
        Opener opener = new Opener(open.replyTo());
        if (streams.size() + waiters.size() >= settings.maxStreams()) {
            opener.tell(new Rejected(new StreamFailure.TooManyStreams(settings.maxStreams())));
            return;
        }
        if (!request.probe()) {
            metrics.demand().asked(request.model());
        }
        Optional<ResidencyGate.Passage> replica = attempts.replicaFor(request);
        if (replica.isPresent()) {
            start(request, open.journal(), opener, replica.get(), now);
        } else {
            metrics.routes().waits(request);
            waiters.add(request, open.journal(), opener, now);
        }
    }

    private void start(StreamRequest request, Journal journal, Opener opener, ResidencyGate.Passage replica, long now) {
        StreamFailure refusal = readers.admit(request, journal, now);
        if (refusal != null) {
            opener.tell(new Rejected(refusal));
            return;
        }
        LiveStream stream = new LiveStream(request, journal, opener, replica, metrics.of(request.model()), now);
        streams.put(request.id(), stream);
        countActive(request, 1);
        long waited = opener.isLate() ? TimeUnit.NANOSECONDS.toMillis(now - request.receivedNanos()) : -1;
        metrics.routes().starts(request, stream.attempt.number(), replica, waited);
        attempts.send(stream);
    }

    /** A stream of which its client has nothing yet waits for a load, where one may come. */
    private boolean waitsForLoad(LiveStream stream) {
        if (stream.opened || attempts.coming(stream.request).isEmpty()) {
            return false;
        }
        attempts.cancel(stream);
        forget(stream);
        stream.opener.used(stream.attempt.number());
        long now = nanoClock.getAsLong();
        metrics.routes().waits(stream.request);
        waiters.add(
                stream.request.within(Duration.ofNanos(stream.deadlineAt - now)), stream.journal, stream.opener, now);
        return true;
    }

    private void countActive(StreamRequest request, int change) {
        probes += request.probe() ? change : 0;
        if (!request.probe() && change > 0) {
            metrics.demand().opened(request.model());
        } else if (!request.probe()) {
            metrics.demand().closed(request.model());
        }
        metrics.activeStreams(streams.size() - probes);
    }

    void clientGone(String requestId) {
        LiveStream stream = streams.get(requestId);
        if (stream != null) {
            attempts.cancel(stream);
            close(stream, new StreamEnd.Abandoned());
        }
        waiters.left(requestId);
        readers.left(requestId);
    }

    void on(StreamEvent event) {
        switch (event) {
            case StreamEvent.StepBatch batch -> onBatch(batch);
            case StreamEvent.Heartbeat heartbeat -> onHeartbeat(heartbeat);
            case StreamEvent.Accepted accepted -> onAccepted(accepted);
            case StreamEvent.Refused refused -> onRefused(refused);
            case StreamEvent.EntriesForgotten forgotten -> onForgotten(forgotten);
            case StreamEvent.HandOver(ActorRef<ReplicaCommand> producer) -> onHandOver(producer);
        }
    }

    private void onAccepted(StreamEvent.Accepted accepted) {
        LiveStream stream = streams.get(accepted.attempt().requestId());
        if (stream == null || !stream.attempt.equals(accepted.attempt())) {
            accepted.producer().tell(new ReplicaCommand.Cancel(accepted.attempt()));
            return;
        }
        if (stream.producer != null) {
            if (!stream.producer.equals(accepted.producer())) {
                accepted.producer().tell(new ReplicaCommand.Cancel(accepted.attempt()));
            }
            return;
        }
        long now = nanoClock.getAsLong();
        attempts.watch(accepted.producer());
        pulses.computeIfAbsent(accepted.producer(), _ -> new ProducerPulse(now));
        stream.accept(accepted, now);
        if (!stream.request.probe()) {
            stream.meters.accepted(accepted.promptIds().size());
        }
        String servedBy = attempts.servedBy(stream);
        metrics.routes().accepted(stream.request.id(), stream.attempt.number(), servedBy);
        if (!stream.opened) {
            stream.opened = true;
            stream.opener.tell(new Opened(accepted.promptIds().size(), servedBy));
        }
        if (stream.heardEarly) {
            askAgainForAll(stream, accepted.producer());
        }
    }

    private static void askAgainForAll(LiveStream stream, ActorRef<ReplicaCommand> producer) {
        for (int choice = 0; choice < stream.request.generation().choices(); choice++) {
            if (!stream.isFinished(choice) && stream.asksFirstTime(choice)) {
                producer.tell(new ReplicaCommand.Resend(stream.attempt, choice, stream.nextIndex(choice)));
            }
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
        AttemptEnd.Refused why = new AttemptEnd.Refused(refused.reason());
        Optional<ResidencyGate.Passage> other = attempts.replicaFor(stream);
        if (other.isPresent() && !other.get().host().equals(stream.replica)) {
            nextAttempt(stream, other.get(), why);
        } else if (mayWait(stream, refused.reason()) && attempts.left(stream) && other.isPresent()) {
            stream.retry = new LiveStream.Retry(
                    nanoClock.getAsLong() + settings.acceptTimeout().toNanos(), why);
        } else if (!(refused.reason() instanceof Refusal.ModelNotReady) || !waitsForLoad(stream)) {
            close(stream, new StreamEnd.Failed(failure));
        }
    }

    /**
     * A stream that was already moved waits for room instead of breaking off in the client's face. A new one that met a replica
     * on the move waits for what the next statuses say.
     */
    private static boolean mayWait(LiveStream stream, Refusal reason) {
        return reason instanceof Refusal.ModelNotReady
                ? stream.opened || stream.attempt.number() <= WAITS_UNTIL_READY
                : !stream.isFirstAttempt();
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
                forget(stream);
            }
            stream.journal.flush();
        }
        touched.clear();
        handOverMore();
    }

    private void onEntry(Entry entry, ActorRef<ReplicaCommand> producer, long now) {
        LiveStream stream = streams.get(entry.attempt().requestId());
        if (stream == null) {
            producer.tell(new ReplicaCommand.Cancel(entry.attempt()));
            return;
        }
        switch (stream.judge(entry, producer)) {
            case NEXT -> onNext(stream, entry, now);
            case GAP -> onGap(stream, entry, producer);
            case FOREIGN -> producer.tell(new ReplicaCommand.Cancel(entry.attempt()));
            case DUPLICATE -> {}
        }
    }

    private void onNext(LiveStream stream, Entry entry, long now) {
        if (!stream.request.probe()) {
            makeRoom(stream, entry.heapBytes());
            if (streams.get(stream.request.id()) != stream) {
                return;
            }
        }
        if (stream.awaitsFirstToken()) {
            attempts.firstToken(stream, now);
        }
        stream.take(entry, now);
        handOvers.settled(stream);
        stream.aliveAt = now;
        long gap = stream.gapSinceLastEntry(entry.choice(), now);
        if (!stream.request.probe()) {
            stream.meters.token(gap);
            metrics.demand().token(stream.request.model());
            if (entry.finish() != null && entry.timings() != null) {
                stream.meters.finished(entry.timings());
            }
        }
        if (stream.overrun(entry.choice())) {
            fail(stream, new StreamFailure.ByReplica(new Refusal.EngineFailed("more tokens than were asked for")));
        } else if (!stream.touched) {
            stream.touched = true;
            touched.add(stream);
        }
    }

    /** Reservations keep this from happening, but where texts are far longer than they count on. */
    private void makeRoom(LiveStream stream, long bytes) {
        String own = stream.request.id();
        while (!readers.haveRoom(bytes) && streams.containsKey(own)) {
            String slowest = readers.slowest().orElse(own);
            readers.overflow(slowest);
            abandon(slowest);
        }
    }

    /** Ends what is left of a request whose journal has ended already. */
    private void abandon(String requestId) {
        LiveStream stream = streams.get(requestId);
        if (stream != null) {
            attempts.cancel(stream);
            forget(stream);
        }
    }

    private void onGap(LiveStream stream, Entry entry, ActorRef<ReplicaCommand> producer) {
        if (stream.producer == null) {
            stream.heardEarly = true;
            return;
        }
        if (!stream.asksFirstTime(entry.choice())) {
            return;
        }
        if (stream.resends++ < settings.maxResends()) {
            producer.tell(new ReplicaCommand.Resend(stream.attempt, entry.choice(), stream.nextIndex(entry.choice())));
        } else {
            attempts.replicaFor(stream).ifPresent(replica -> nextAttempt(stream, replica, new AttemptEnd.Gaps()));
        }
    }

    private void onHandOver(ActorRef<ReplicaCommand> producer) {
        for (LiveStream stream : streams.values()) {
            if (producer.equals(stream.producer)) {
                handOvers.add(new HandOvers.Leaver(stream, producer));
            }
        }
        handOverMore();
    }

    /** A stream that can go nowhere yet stays where it is, and so do those behind it. */
    private void handOverMore() {
        Optional<HandOvers.Leaver> leaver = handOvers.peek(this::isStillThere);
        while (leaver.isPresent()) {
            LiveStream stream = leaver.get().stream();
            Optional<ResidencyGate.Passage> other = attempts.replicaFor(stream);
            if (other.isEmpty() || other.get().host().equals(leaver.get().from())) {
                return;
            }
            handOvers.start();
            nextAttempt(stream, other.get(), new AttemptEnd.HandedOver());
            leaver = handOvers.peek(this::isStillThere);
        }
    }

    private boolean isStillThere(HandOvers.Leaver leaver) {
        LiveStream stream = leaver.stream();
        return streams.get(stream.request.id()) == stream && leaver.from().equals(stream.producer);
    }

    /** Waiting would be for nothing: the next attempt makes what is missing again. */
    private void onForgotten(StreamEvent.EntriesForgotten forgotten) {
        LiveStream stream = streams.get(forgotten.attempt().requestId());
        if (stream != null && stream.attempt.equals(forgotten.attempt()) && stream.misses(forgotten)) {
            attempts.replicaFor(stream).ifPresent(replica -> nextAttempt(stream, replica, new AttemptEnd.Gaps()));
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

    /** Only producers that feed a stream are remembered; strangers leave no trace. */
    private void hear(ActorRef<ReplicaCommand> producer, long step, long now) {
        ProducerPulse pulse = pulses.get(producer);
        if (pulse != null) {
            pulse.hear(step, now);
        }
    }

    void replicaTerminated(ActorRef<ReplicaCommand> dead) {
        attempts.forget(dead);
        pulses.remove(dead);
        long now = nanoClock.getAsLong();
        for (LiveStream stream : List.copyOf(streams.values())) {
            if (dead.equals(stream.producer) || (stream.producer == null && dead.equals(stream.replica))) {
                stream.lostAt = now;
                moveIfLost(stream, now);
            }
        }
    }

    /** Where no other replica is there, one may come: the placement gives a lost one to another node. */
    private void moveIfLost(LiveStream stream, long now) {
        if (stream.aliveAt - stream.lostAt > 0) {
            stream.lostAt = -1; // It had only been silent.
            return;
        }
        Optional<ResidencyGate.Passage> other = attempts.replicaFor(stream);
        // What nobody answered may be asked of the same one again, if that has come back.
        boolean unanswered = stream.producer == null
                && now - stream.submittedAt >= settings.acceptTimeout().toNanos();
        if (other.isPresent() && (unanswered || !other.get().host().equals(stream.replica))) {
            if (attempts.mayFailOver(now)) {
                nextAttempt(stream, other.get(), new AttemptEnd.ReplicaDied());
            }
        } else if (now - stream.lostAt >= settings.replicaWait().toNanos() && !waitsForLoad(stream)) {
            fail(stream, new StreamFailure.ReplicaLost(stream.request.model()));
        }
    }

    void tick() {
        long now = nanoClock.getAsLong();
        readers.cutStalled(now).forEach(this::abandon);
        for (Waiters.Served served : waiters.tick(now)) {
            start(served.request(), served.journal(), served.opener(), served.replica(), now);
        }
        handOverMore();
        for (LiveStream stream : List.copyOf(streams.values())) {
            if (now - stream.deadlineAt >= 0) {
                fail(stream, new StreamFailure.ByReplica(new Refusal.DeadlineExceeded()));
            } else if (stream.lostAt >= 0) {
                moveIfLost(stream, now);
            } else if (stream.retry != null) {
                retryIfDue(stream, stream.retry, now);
            } else if (stream.producer == null) {
                resubmitIfUnanswered(stream, now);
            } else {
                moveIfSilent(stream, stream.producer, now);
            }
        }
    }

    private void retryIfDue(LiveStream stream, LiveStream.Retry retry, long now) {
        if (now - retry.at() >= 0) {
            Optional<ResidencyGate.Passage> replica = attempts.replicaFor(stream);
            if (replica.isPresent()) {
                nextAttempt(stream, replica.get(), retry.after());
            } else if (!waitsForLoad(stream)) {
                fail(stream, new StreamFailure.ReplicaLost(stream.request.model()));
            }
        }
    }

    private void resubmitIfUnanswered(LiveStream stream, long now) {
        // Doubling: a replica that is merely slow to tokenise is not buried under copies of the same work.
        long patience = settings.acceptTimeout().toNanos() << Math.min(stream.barrenAttempts - 1, 10);
        // A host lists an attempt while it prepares it. One whose entries are here already is past that: the Accepted
        // itself got lost, and without it they cannot be taken.
        boolean prepared = stream.heardEarly;
        boolean mentioned = stream.aliveAt - stream.submittedAt > 0
                && now - stream.aliveAt < settings.heartbeatSilence().toNanos();
        if (now - stream.submittedAt >= patience && (prepared || !mentioned) && attempts.left(stream)) {
            attempts.unanswered(stream);
            Optional<ResidencyGate.Passage> replica = attempts.replicaFor(stream);
            if (replica.isPresent()) {
                nextAttempt(stream, replica.get(), new AttemptEnd.Unanswered());
            } else {
                stream.lostAt = now;
            }
        }
    }

    private void moveIfSilent(LiveStream stream, ActorRef<ReplicaCommand> producer, long now) {
        ProducerPulse pulse = pulses.computeIfAbsent(producer, _ -> new ProducerPulse(now));
        long silence = settings.heartbeatSilence().toNanos();
        // Doubling: where everybody is slow, moving makes all of it slower.
        long patience = silence << Math.min(stream.barrenAttempts - 1, MOST_DOUBLINGS);
        boolean unmentioned = now - stream.aliveAt >= silence;
        boolean speaks = now - pulse.heardAt() < silence;
        boolean forgotten = unmentioned && speaks;
        boolean silent = now - stream.aliveAt >= patience;
        boolean stuck = now - Math.max(pulse.steppedAt(), stream.submittedAt)
                >= settings.stepStall().toNanos();
        if (!forgotten && !silent && !stuck) {
            return;
        }
        Optional<ResidencyGate.Passage> replica = attempts.replicaFor(stream);
        if (replica.isEmpty()) {
            stream.lostAt = unmentioned ? now : stream.lostAt;
            return;
        }
        // Harmless where it was only slow: the Submit comes with a Cancel of the attempt before, and a later one takes
        // that one's place.
        boolean noSign = now - Math.max(stream.aliveAt, pulse.heardAt()) >= SILENCES_UNTIL_SAME_REPLICA * patience;
        boolean elsewhere = !replica.get().host().equals(stream.replica);
        if ((forgotten || noSign || elsewhere) && attempts.mayFailOver(now)) {
            nextAttempt(stream, replica.get(), unmentioned ? new AttemptEnd.Silent() : new AttemptEnd.Stuck());
        }
    }

    private void nextAttempt(LiveStream stream, ResidencyGate.Passage passage, AttemptEnd why) {
        if (!attempts.next(stream, passage, why)) {
            fail(stream, why.lastOf(settings.maxAttempts()));
        }
    }

    void failAll(StreamFailure reason) {
        List.copyOf(streams.values()).forEach(stream -> fail(stream, reason));
        waiters.rejectAll(reason);
    }

    private void fail(LiveStream stream, StreamFailure reason) {
        attempts.cancel(stream);
        close(stream, new StreamEnd.Failed(reason));
    }

    private void close(LiveStream stream, StreamEnd end) {
        if (!stream.opened) {
            stream.opener.tell(new Rejected(
                    end instanceof StreamEnd.Failed failed ? failed.reason() : new StreamFailure.ClientLeft()));
        }
        attempts.logIfEngineFailed(stream, end);
        forget(stream);
        stream.journal.end(end);
        stream.journal.flush();
    }

    private void forget(LiveStream stream) {
        handOvers.settled(stream);
        streams.remove(stream.request.id());
        countActive(stream.request, -1);
    }
}

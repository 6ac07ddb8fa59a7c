package dev.meridian.engine;

import dev.meridian.engine.bundle.BundleManifest.SamplingDefaults;
import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.Entry;
import dev.meridian.protocol.Refusal;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Continuous batching over the slots of one {@link ModelRunner}. One thread runs {@code receive -> schedule -> forward ->
 * process} until closed: every step gives each decoding sequence one token, and runs as much prefill as {@link PrefillPacer}
 * allows, in the same pass where the runner can and else after it. {@link #submit}, {@link #cancel} and {@link #stats} are safe from any thread and never wait for a step.
 */
public final class Engine implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Engine.class);

    private final ModelRunner runner;
    private final Vocabulary vocabulary;
    private final EngineSettings settings;
    private final StepListener listener;
    private final LongSupplier nanoClock;
    private final Inbox inbox;
    private final Scheduler scheduler;
    private final EntryMaker maker;
    private final int[] stepTokens;
    private final int[] stepPositions;
    /** Of a pass, for each decoding sequence: its first row of logits, and the guesses that follow. */
    private final int[] stepRows;

    private final int[] stepGuesses;
    private final int[] guess = new int[Speculation.MOST];
    private final Rows rows;
    /** What a pass runs of prompts. */
    private final List<Scheduler.Chunk> chunks = new ArrayList<>();

    private final Admission admission;
    private final PrefillPacer pacer;
    private final AtomicLong arrivals = new AtomicLong();
    private final Thread thread;
    private volatile EngineStats stats = EngineStats.NONE;
    private List<Entry> entries = new ArrayList<>();
    private long step;
    private long prefillTokens;
    private long decodeTokens;
    private long speculatedTokens;
    private long acceptedTokens;

    /** An engine whose thread does not run: tests call {@link #step} themselves. */
    Engine(
            String name,
            ModelRunner runner,
            Vocabulary vocabulary,
            List<Integer> endTokens,
            SamplingDefaults defaults,
            EngineSettings settings,
            StepListener listener,
            LongSupplier nanoClock) {
        this.runner = runner;
        this.vocabulary = vocabulary;
        this.settings = settings;
        this.listener = listener;
        this.nanoClock = nanoClock;
        inbox = new Inbox(settings.queueCapacity(), settings.fairness().queueReserve());
        scheduler = new Scheduler(runner, settings);
        maker = new EntryMaker(runner, vocabulary, endTokens, nanoClock);
        stepTokens = new int[runner.slots()];
        stepPositions = new int[runner.slots()];
        stepRows = new int[runner.slots()];
        stepGuesses = new int[runner.slots()];
        rows = Rows.ofEngine(runner.slots(), settings.prefillChunk());
        admission = new Admission(runner, settings, defaults);
        pacer = new PrefillPacer(settings.prefillChunk(), settings.fairness().stepStretch());
        thread = Thread.ofPlatform().name("engine-" + name).daemon(true).unstarted(this::run);
    }

    /**
     * Starts an engine. It takes no ownership of {@code runner}: close the engine first, then the runner.
     *
     * @param endTokens each of them ends a sequence
     * @param nanoClock the clock of {@link SequenceRequest#deadlineNanos}, {@code System::nanoTime} but in tests
     */
    public static Engine start(
            String name,
            ModelRunner runner,
            Vocabulary vocabulary,
            List<Integer> endTokens,
            SamplingDefaults defaults,
            EngineSettings settings,
            StepListener listener,
            LongSupplier nanoClock) {
        Engine engine = new Engine(name, runner, vocabulary, endTokens, defaults, settings, listener, nanoClock);
        engine.thread.start();
        return engine;
    }

    /**
     * Queues the choices of one attempt, all or none. Empty where they are queued: from then on the listener hears of the
     * attempt until its last choice has finished or it was refused. A full queue, or one of the requests' values, is
     * the returned refusal.
     */
    public Optional<Refusal> submit(List<SequenceRequest> choices) {
        if (choices.size() > settings.mostOfOneClass()) {
            return Optional.of(new Refusal.InvalidRequest(
                    "n",
                    choices.size() + " choices are more than the queue of " + settings.mostOfOneClass() + " holds"));
        }
        List<Sequence> sequences = new ArrayList<>(choices.size());
        for (SequenceRequest choice : choices) {
            SamplerSettings sampling = admission.sampling(choice);
            Optional<Refusal> refusal = admission.check(choice, sampling);
            if (refusal.isPresent()) {
                return refusal;
            }
            sequences.add(new Sequence(
                    choice,
                    sampling,
                    new SequenceText(vocabulary, choice.generation().stop()),
                    arrivals.getAndIncrement(),
                    admission.maxLength(choice),
                    nanoClock.getAsLong()));
        }
        return inbox.offer(sequences);
    }

    /** Frees all of an attempt before the next step. The listener hears no more of it after that step. */
    public void cancel(Attempt attempt) {
        inbox.cancel(attempt);
    }

    public EngineStats stats() {
        return stats;
    }

    /** Ends the thread after the step that it is in; live sequences end without a word. Waits for the thread. */
    @Override
    public void close() {
        inbox.close();
        boolean interrupted = false;
        while (thread.isAlive() && !thread.equals(Thread.currentThread())) {
            try {
                thread.join();
            } catch (InterruptedException _) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        try {
            while (step()) {
                // Each step is complete in itself.
            }
        } catch (InterruptedException | RuntimeException | Error e) {
            fail(e);
        }
    }

    /** One round; waits for work where there is none. False where the engine is closed. */
    boolean step() throws InterruptedException {
        boolean open = receive();
        if (!open) {
            scheduler.cache().releaseAll();
        }
        scheduler.makeRoom();
        boolean ran = runner.runsRows() ? runTogether() : runApart();
        if (!ran && !scheduler.isIdle()) {
            throw new IllegalStateException("sequences wait and none can run");
        }
        publish();
        return open;
    }

    Scheduler scheduler() {
        return scheduler;
    }

    boolean isIdle() {
        return scheduler.isIdle() && inbox.isEmpty();
    }

    /** False where the engine is closed. */
    private boolean receive() throws InterruptedException {
        Inbox.Mail mail = inbox.take(scheduler.isIdle(), scheduler::waitingCount);
        mail.arrivals().forEach(scheduler::enqueue);
        if (!mail.cancels().isEmpty()) {
            Set<Attempt> gone = new HashSet<>(mail.cancels());
            scheduler.removeIf(sequence -> gone.contains(sequence.request.attempt()));
        }
        refuseLate();
        return !mail.closed();
    }

    private void refuseLate() {
        long now = nanoClock.getAsLong();
        Set<Attempt> late = new HashSet<>(0);
        scheduler.removeIf(sequence -> {
            boolean isLate = now - sequence.request.deadlineNanos() >= 0;
            if (isLate) {
                late.add(sequence.request.attempt());
            }
            return isLate;
        });
        if (!late.isEmpty()) {
            scheduler.removeIf(sequence -> late.contains(sequence.request.attempt()));
            late.forEach(attempt -> listener.onRefused(attempt, new Refusal.DeadlineExceeded()));
        }
    }

    /** Decode, then prefill. False where there was nothing to run. */
    private boolean runApart() {
        boolean decoded = decode();
        int decodedEntries = entries.size();
        boolean prefilled = prefill();
        firstTokensFirst(decodedEntries);
        return decoded || prefilled;
    }

    /** Whoever waits for a first token is told before those who read already. */
    private void firstTokensFirst(int decodedEntries) {
        Collections.rotate(entries, -decodedEntries);
    }

    /** Decode and prefill in one pass, which reads the weights once for both. False where there was nothing to run. */
    private boolean runTogether() {
        List<Sequence> decoding = scheduler.slots().decoding();
        int decodes = decoding.size();
        long begin = nanoClock.getAsLong();
        rows.clear();
        int room = pacer.chunkBeside(decodes);
        addChunks(room, begin);
        int prefilled = rows.count();
        // Beside prompts, and where decode is measured by itself, nothing is guessed.
        int guesses = prefilled > 0 || room == 0 ? 0 : Rows.MOST_CHECKED - decodes;
        for (int i = 0; i < decodes; i++) {
            guesses -= addDecode(i, decoding.get(i), guesses);
        }
        if (rows.count() == 0) {
            return false;
        }
        runner.run(rows);
        for (Scheduler.Chunk chunk : chunks) {
            chunk.sequence().ran(chunk.count());
        }
        // From the last one down: one that ends is replaced by the last one, which was looked at before.
        for (int i = decodes - 1; i >= 0; i--) {
            Sequence sequence = decoding.get(i);
            if (take(sequence, i)) {
                scheduler.end(sequence);
            }
        }
        int decodedEntries = entries.size();
        int row = 0;
        for (Scheduler.Chunk chunk : chunks) {
            if (chunk.last()) {
                finishPrefill(chunk.sequence(), row++);
            }
        }
        firstTokensFirst(decodedEntries);
        boolean guessed = rows.count() > prefilled + decodes;
        if (!guessed) {
            pacer.ranTogether(decodes, prefilled, nanoClock.getAsLong() - begin);
        }
        return true;
    }

    /** Adds at most {@code tokens} prompt tokens to the pass, of one sequence or of several short ones. */
    private void addChunks(int tokens, long now) {
        chunks.clear();
        int left = tokens;
        while (left > 0) {
            Scheduler.Chunk chunk = scheduler.nextChunk(left);
            if (chunk == null) {
                break;
            }
            Sequence sequence = chunk.sequence();
            if (sequence.startedNanos < 0) {
                sequence.startedNanos = now;
            }
            for (int at = sequence.scheduled() - chunk.count(); at < sequence.scheduled(); at++) {
                rows.add(sequence.slot, at, sequence.tokens()[at]);
            }
            if (chunk.last()) {
                rows.want();
            }
            scheduler.served(sequence, chunk.count());
            prefillTokens += chunk.count();
            left -= chunk.count();
            chunks.add(chunk);
        }
    }

    /** Adds a decoding sequence's newest token to the pass, and guesses of what follows it; returns how many. */
    private int addDecode(int index, Sequence sequence, int most) {
        rows.add(sequence.slot, sequence.filled, sequence.newestToken());
        stepRows[index] = rows.want();
        stepGuesses[index] = 0;
        int room = Math.min(Math.min(most, settings.speculativeTokens()), sequence.maxLength - sequence.length() - 1);
        if (room < 1 || !scheduler.fitsGuesses(sequence, room)) {
            return 0;
        }
        int count = sequence.speculation.guess(sequence.tokens(), sequence.length(), room, guess);
        for (int i = 0; i < count; i++) {
            rows.add(sequence.slot, sequence.filled + 1 + i, guess[i]);
            rows.want();
        }
        sequence.hold(sequence.filled + 1 + count);
        stepGuesses[index] = count;
        return count;
    }

    /** Gives a decoding sequence its next token, and one more for each guess that was right. True where it has its last one. */
    private boolean take(Sequence sequence, int index) {
        int row = stepRows[index];
        int guessed = stepGuesses[index];
        boolean ended = takeOne(sequence, row);
        int right = 0;
        while (!ended && right < guessed && sequence.newestToken() == rows.token(rows.wanted(row + 1))) {
            right++;
            row++;
            ended = takeOne(sequence, row);
        }
        if (guessed > 0) {
            sequence.speculation.checked(guessed, right);
            speculatedTokens += guessed;
            acceptedTokens += right;
        }
        return ended;
    }

    private boolean takeOne(Sequence sequence, int row) {
        sequence.ran(1);
        scheduler.served(sequence, 1);
        return process(sequence, row);
    }

    /** One token for each decoding sequence. False where there is none. */
    private boolean decode() {
        List<Sequence> rows = scheduler.slots().decoding();
        if (rows.isEmpty()) {
            pacer.nothingDecoded();
            return false;
        }
        long begin = nanoClock.getAsLong();
        for (int row = 0; row < rows.size(); row++) {
            Sequence sequence = rows.get(row);
            stepTokens[row] = sequence.newestToken();
            stepPositions[row] = sequence.filled;
        }
        runner.decode(rows.size(), stepTokens, stepPositions);
        for (Sequence sequence : rows) {
            sequence.ran(1);
            scheduler.served(sequence, 1);
        }
        // From the last row down: a sequence that ends is replaced by the last row, which was processed before.
        for (int row = rows.size() - 1; row >= 0; row--) {
            Sequence sequence = rows.get(row);
            if (process(sequence, row)) {
                scheduler.end(sequence);
            }
        }
        pacer.decoded(nanoClock.getAsLong() - begin);
        return true;
    }

    /** As many prompt tokens as the step has room for, of one sequence or of several short ones. False where there are none. */
    private boolean prefill() {
        int chunkTokens = pacer.chunk();
        int left = chunkTokens;
        while (left > 0 && pacer.hasRoom()) {
            Scheduler.Chunk chunk = scheduler.nextChunk(left);
            if (chunk == null) {
                break;
            }
            Sequence sequence = chunk.sequence();
            long begin = nanoClock.getAsLong();
            if (sequence.startedNanos < 0) {
                sequence.startedNanos = begin;
            }
            runner.prefill(
                    sequence.slot, sequence.filled, sequence.tokens(), sequence.filled, chunk.count(), chunk.last());
            sequence.ran(chunk.count());
            prefillTokens += chunk.count();
            left -= chunk.count();
            if (chunk.last()) {
                finishPrefill(sequence, 0);
            }
            scheduler.served(sequence, chunk.count());
            pacer.prefilled(chunk.count(), nanoClock.getAsLong() - begin);
        }
        return left < chunkTokens;
    }

    private void finishPrefill(Sequence sequence, int row) {
        if (process(sequence, row)) {
            scheduler.end(sequence);
        } else {
            scheduler.slots().startDecode(sequence);
        }
    }

    /** Gives a sequence its next token, from a row of logits. True where it was the last one. */
    private boolean process(Sequence sequence, int row) {
        Entry entry = maker.next(sequence, row);
        decodeTokens++;
        entries.add(entry);
        return entry.finish() != null;
    }

    private void publish() {
        step++;
        stats = new EngineStats(
                step,
                scheduler.slots().decoding().size(),
                scheduler.waitingCount(),
                scheduler.slots().bytesAfterDecode(),
                scheduler.cache().bytes(),
                prefillTokens,
                scheduler.cachedTokens(),
                decodeTokens,
                speculatedTokens,
                acceptedTokens,
                scheduler.preemptions());
        if (!entries.isEmpty()) {
            List<Entry> made = entries;
            entries = new ArrayList<>(made.size());
            listener.onStep(step, made);
        }
    }

    /** A broken runner or a broken invariant: nothing of this engine can be trusted, so all that it holds is refused. */
    private void fail(Throwable cause) {
        Set<Attempt> live = new HashSet<>();
        scheduler.forEach(sequence -> live.add(sequence.request.attempt()));
        inbox.close().forEach(sequence -> live.add(sequence.request.attempt()));
        Refusal reason = new Refusal.EngineFailed(String.valueOf(cause));
        // What the failing step had made is good: some of it may be a last token, whose sequence is in no list any
        // more.
        List<Entry> made = entries;
        if (!made.isEmpty()) {
            tell(() -> listener.onStep(step, made));
        }
        live.forEach(attempt -> tell(() -> listener.onRefused(attempt, reason)));
        tell(() -> listener.onFailed(cause));
    }

    /** A listener that breaks its promise not to throw must not keep the others from hearing. */
    private static void tell(Runnable call) {
        try {
            call.run();
        } catch (RuntimeException e) {
            LOG.error("a listener of a failed engine threw", e);
        }
    }
}

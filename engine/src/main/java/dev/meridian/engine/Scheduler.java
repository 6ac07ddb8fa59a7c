package dev.meridian.engine;

import dev.meridian.protocol.Priority;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Decides what the next step runs. Classes of requests share slots and prefill by weight, see {@link FairQueue}: one prompt
 * of each class may be in prefill, and each chunk goes to the class that is furthest behind its share, so a long prompt in
 * the background never holds up a short one that somebody waits for. Inside a class arrival order holds: a sequence gets a
 * slot only after all of its class that came before it have had one. When KV memory runs out, first what is kept of
 * ended sequences goes ({@link PrefixCache}), then the class that is furthest ahead of its share gives up its youngest sequence, which goes back to the head of its queue. Used by the engine thread
 * alone; pure but for the slots that it moves.
 */
final class Scheduler {
    private final ModelRunner runner;
    private final EngineSettings settings;
    private final FairQueue waiting;
    private final PrefixCache cache;
    private final Slots slots;
    private long preemptions;
    private long cachedTokens;

    Scheduler(ModelRunner runner, EngineSettings settings) {
        this.runner = runner;
        this.settings = settings;
        waiting = new FairQueue(settings.fairness().weights());
        cache = new PrefixCache(runner, settings);
        slots = new Slots(runner, cache);
    }

    Slots slots() {
        return slots;
    }

    int waitingCount() {
        return waiting.size();
    }

    int waitingCount(Priority priority) {
        return waiting.size(priority);
    }

    /** The model ran {@code tokens} for a sequence. */
    void served(Sequence sequence, int tokens) {
        waiting.served(sequence.priority(), tokens);
    }

    long preemptions() {
        return preemptions;
    }

    /** Tokens of which the KV cache was there when a sequence got its slot. */
    long cachedTokens() {
        return cachedTokens;
    }

    PrefixCache cache() {
        return cache;
    }

    boolean isIdle() {
        return waiting.isEmpty() && slots.isEmpty();
    }

    void enqueue(Sequence sequence) {
        waiting.addLast(sequence);
    }

    /** Preempts until the next decode step fits the KV budget; what is kept of others goes first. */
    void makeRoom() {
        while (slots.bytesAfterDecode() > settings.kvBudgetBytes()) {
            Sequence victim = victim();
            if (victim == null) {
                throw new IllegalStateException("KV memory is reserved although no sequence runs");
            }
            preempt(victim);
        }
        cache.makeRoom(slots.bytesAfterDecode(), null);
    }

    /**
     * The next piece of prefill, of at most {@code tokens} tokens, or null where there is none to run now. Admits the
     * waiting sequence whose turn it is when none of its class is in prefill, a slot is free and its whole length fits the
     * KV budget. While one whose turn it is does not fit, none overtakes it: those in prefill go on, and free what they hold.
     */
    @Nullable
    Chunk nextChunk(int tokens) {
        Sequence sequence = mostDue();
        if (sequence == null) {
            return null;
        }
        if (sequence.state() == Sequence.State.WAITING) {
            waiting.remove(sequence);
            slots.startPrefill(sequence);
            cachedTokens += sequence.filled;
        }
        int count = Math.min(tokens, sequence.unfilled());
        cache.makeRoom(bytesWith(sequence, sequence.scheduled() + count), null);
        sequence.schedule(count);
        return new Chunk(sequence, count, sequence.unfilled() == 0);
    }

    private @Nullable Sequence mostDue() {
        Sequence due = null;
        for (Sequence sequence : slots.prefilling()) {
            if (sequence.unfilled() > 0 && fits(sequence) && (due == null || isBehind(sequence, due))) {
                due = sequence;
            }
        }
        Sequence head = waiting.peek(slots::hasPrefilling);
        boolean admits = head != null
                && (due == null || isBehind(head, due))
                && slots.hasFree()
                && fits(head)
                && !cache.gainsByWaiting(head, slots.decoding(), slots.prefilling());
        return admits ? head : due;
    }

    /** Whether {@code guesses} more positions of a decoding sequence fit beside all that is committed, kept prefixes too. */
    boolean fitsGuesses(Sequence sequence, int guesses) {
        int next = sequence.filled + 1;
        return slots.bytesAfterDecode()
                        + cache.bytes()
                        - runner.kvBytes(Math.max(sequence.held(), next))
                        + runner.kvBytes(Math.max(sequence.held(), next + guesses))
                <= settings.kvBudgetBytes();
    }

    private boolean isBehind(Sequence sequence, Sequence other) {
        return waiting.compare(sequence.priority(), other.priority()) < 0;
    }

    /** Ends every sequence for which {@code gone} holds, wherever it is. */
    void removeIf(Predicate<Sequence> gone) {
        waiting.removeIf(gone, sequence -> sequence.become(Sequence.State.ENDED));
        endIf(slots.prefilling(), gone);
        endIf(slots.decoding(), gone);
    }

    /** From the last one down: a row that ends is replaced by the last row, which was looked at before. */
    private void endIf(List<Sequence> sequences, Predicate<Sequence> gone) {
        for (int i = sequences.size() - 1; i >= 0; i--) {
            if (gone.test(sequences.get(i))) {
                end(sequences.get(i));
            }
        }
    }

    void forEach(Consumer<Sequence> action) {
        waiting.forEach(action);
        slots.prefilling().forEach(action);
        slots.decoding().forEach(action);
    }

    /** Ends a sequence that holds a slot. */
    void end(Sequence sequence) {
        slots.leave(sequence);
        sequence.become(Sequence.State.ENDED);
    }

    private void preempt(Sequence sequence) {
        slots.leave(sequence);
        sequence.become(Sequence.State.WAITING);
        waiting.addFirst(sequence);
        preemptions++;
    }

    private @Nullable Sequence victim() {
        Sequence victim = null;
        for (List<Sequence> held : List.of(slots.prefilling(), slots.decoding())) {
            for (Sequence sequence : held) {
                if (victim == null || isSooner(sequence, victim)) {
                    victim = sequence;
                }
            }
        }
        return victim;
    }

    private boolean isSooner(Sequence sequence, Sequence other) {
        int order = waiting.compare(sequence.priority(), other.priority());
        return order > 0 || (order == 0 && sequence.arrival > other.arrival);
    }

    /** Whether the sequence's tokens and the next one of every other fit beside what is committed. */
    private boolean fits(Sequence sequence) {
        return bytesWith(sequence, sequence.length() + 1) <= settings.kvBudgetBytes();
    }

    /** KV bytes that live sequences commit once this one, which does not decode, has filled {@code tokens} positions. */
    private long bytesWith(Sequence sequence, int tokens) {
        return slots.bytesAfterDecode()
                - runner.kvBytes(sequence.held())
                + runner.kvBytes(Math.max(tokens, sequence.held()));
    }

    /** {@code count} tokens of a sequence in prefill, from the first that was not scheduled before; {@code last} completes it. */
    record Chunk(Sequence sequence, int count, boolean last) {}
}

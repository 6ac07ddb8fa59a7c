package dev.meridian.engine;

import dev.meridian.protocol.Priority;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Decides what the next step runs. Classes of requests share the slots by weight, see {@link FairQueue}; inside a class arrival
 * order holds: a sequence gets a slot only after all of its class that came before it have had one. When KV memory runs out
 * the youngest sequence, of whatever class, gives its slot up and goes back to the head of its queue, so the oldest always
 * goes on. Used by the engine thread alone; pure but for the slots that it moves.
 */
final class Scheduler {
    private final ModelRunner runner;
    private final EngineSettings settings;
    private final FairQueue waiting;
    private final Slots slots;
    private long preemptions;

    Scheduler(ModelRunner runner, EngineSettings settings) {
        this.runner = runner;
        this.settings = settings;
        waiting = new FairQueue(settings.fairness().weights());
        slots = new Slots(runner);
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

    boolean isIdle() {
        return waiting.isEmpty() && slots.isEmpty();
    }

    void enqueue(Sequence sequence) {
        waiting.addLast(sequence);
    }

    /** Preempts until the next decode step fits the KV budget. */
    void makeRoom() {
        while (slots.bytesAfterDecode() > settings.kvBudgetBytes()) {
            Sequence youngest = youngest();
            if (youngest == null) {
                throw new IllegalStateException("KV memory is reserved although no sequence runs");
            }
            preempt(youngest);
        }
    }

    /**
     * The next piece of prefill, of at most {@code tokens} tokens, or null where there is none to run now. Admits
     * the waiting sequence whose turn it is when no other is in prefill, a slot is free and its whole length fits the KV budget.
     */
    @Nullable
    Chunk nextChunk(int tokens) {
        Sequence sequence = slots.prefilling();
        if (sequence == null) {
            Sequence head = waiting.peek();
            if (head == null || !slots.hasFree() || !fits(head)) {
                return null;
            }
            waiting.remove(head);
            slots.startPrefill(head);
            sequence = head;
        }
        int count = Math.min(tokens, sequence.unfilled());
        if (!fits(sequence)) {
            return null;
        }
        return new Chunk(sequence, count, count == sequence.unfilled());
    }

    /** Ends every sequence for which {@code gone} holds, wherever it is. */
    void removeIf(Predicate<Sequence> gone) {
        waiting.removeIf(gone, sequence -> sequence.become(Sequence.State.ENDED));
        Sequence prefilling = slots.prefilling();
        if (prefilling != null && gone.test(prefilling)) {
            end(prefilling);
        }
        for (int row = slots.decoding().size() - 1; row >= 0; row--) {
            if (gone.test(slots.decoding().get(row))) {
                end(slots.decoding().get(row));
            }
        }
    }

    void forEach(Consumer<Sequence> action) {
        waiting.forEach(action);
        Sequence prefilling = slots.prefilling();
        if (prefilling != null) {
            action.accept(prefilling);
        }
        slots.decoding().forEach(action);
    }

    /** Ends a sequence that holds a slot. */
    void end(Sequence sequence) {
        slots.evict(sequence);
        sequence.become(Sequence.State.ENDED);
    }

    private void preempt(Sequence sequence) {
        slots.evict(sequence);
        sequence.become(Sequence.State.WAITING);
        waiting.addFirst(sequence);
        preemptions++;
    }

    private @Nullable Sequence youngest() {
        Sequence youngest = slots.prefilling();
        for (Sequence sequence : slots.decoding()) {
            if (youngest == null || sequence.arrival > youngest.arrival) {
                youngest = sequence;
            }
        }
        return youngest;
    }

    /** Whether the sequence's tokens and the next one of every other fit beside what is committed. */
    private boolean fits(Sequence sequence) {
        long own = sequence == slots.prefilling() ? runner.kvBytes(sequence.filled) : 0;
        return slots.bytesAfterDecode() - own + runner.kvBytes(sequence.length() + 1) <= settings.kvBudgetBytes();
    }

    /** {@code count} tokens of a sequence in prefill, from its first unfilled one; {@code last} completes it. */
    record Chunk(Sequence sequence, int count, boolean last) {}
}

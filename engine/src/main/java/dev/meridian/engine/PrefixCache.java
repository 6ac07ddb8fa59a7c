package dev.meridian.engine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * KV caches that outlive their sequences: who begins with the same tokens, in the same scope, need not run them again. What
 * is kept takes the slots and the KV budget that live sequences leave, and gives them back, least recently used first,
 * before any sequence waits, is preempted or refused. So it is bounded by both, and costs a request nothing but the time of
 * a copy. Used by the engine thread alone.
 *
 * <p>Nothing is indexed: there are as few holders of slots as there are slots, and comparing with each is nothing beside
 * running one token.
 */
final class PrefixCache {
    /** Fewer common tokens are run again, and what is kept for so few more is not kept. */
    static final int LEAST_TOKENS = 16;

    /** What is cut keeps a multiple of these: giving memory back takes system calls for every head of every layer. */
    private static final int PIECE_TOKENS = 32;

    private final ModelRunner runner;
    private final boolean enabled;
    private final boolean acrossKeys;
    private final long kvBudgetBytes;
    private final List<Kept> all = new ArrayList<>();
    private long uses;

    PrefixCache(ModelRunner runner, EngineSettings settings) {
        this.runner = runner;
        enabled = settings.prefixCaching().enabled() && runner.copiesSlots();
        acrossKeys = settings.prefixCaching().acrossKeys();
        kvBudgetBytes = settings.kvBudgetBytes();
    }

    /** What is kept of a sequence that left its slot. */
    static final class Kept implements SlotHolder {
        private final int[] tokens;
        private final long scope;
        private final String requestId;
        private final int cachedTokens;
        private int filled;
        private int slot;
        private long usedAt;

        private Kept(Sequence from, long usedAt) {
            tokens = from.tokens();
            scope = from.scope();
            requestId = from.requestId();
            cachedTokens = from.cachedTokens();
            filled = from.filled;
            slot = from.slot;
            this.usedAt = usedAt;
        }

        @Override
        public int slot() {
            return slot;
        }

        @Override
        public int filled() {
            return filled;
        }

        @Override
        public int[] tokens() {
            return tokens;
        }

        @Override
        public long scope() {
            return scope;
        }

        @Override
        public String requestId() {
            return requestId;
        }

        @Override
        public int cachedTokens() {
            return cachedTokens;
        }

        /** Its slot was moved. */
        void putInto(int newSlot) {
            slot = newSlot;
        }
    }

    /** The first {@code tokens} positions of a holder's slot are those of a sequence that is to begin. */
    record Match(SlotHolder holder, int tokens) {
        /** The holder where it is not alive. */
        @Nullable
        Kept kept() {
            return holder instanceof Kept kept ? kept : null;
        }
    }

    int size() {
        return all.size();
    }

    /** KV bytes that are committed for what is kept. */
    long bytes() {
        long bytes = 0;
        for (Kept kept : all) {
            bytes += runner.kvBytes(kept.filled);
        }
        return bytes;
    }

    /** What is kept in a slot, if anything. */
    @Nullable
    Kept in(int slot) {
        for (Kept kept : all) {
            if (kept.slot == slot) {
                return kept;
            }
        }
        return null;
    }

    /** The longest common prefix with what is kept and with what runs; null where it is too short. The last token is left to run. */
    @Nullable
    Match longest(Sequence sequence, List<Sequence> decoding, List<Sequence> prefilling) {
        if (!enabled) {
            return null;
        }
        Match best = longer(null, all, sequence);
        best = longer(best, decoding, sequence);
        best = longer(best, prefilling, sequence);
        Kept kept = best == null ? null : best.kept();
        if (kept != null) {
            kept.usedAt = ++uses;
        }
        return best;
    }

    /** Whether a pass that is about to run leaves a longer prefix of a sequence than there is now. */
    boolean gainsByWaiting(Sequence sequence, List<Sequence> decoding, List<Sequence> prefilling) {
        if (!enabled) {
            return false;
        }
        int soon = 0;
        for (Sequence holder : prefilling) {
            if (holder.scheduled() > holder.filled) {
                soon = Math.max(soon, common(sequence, sequence.length() - 1, holder, holder.scheduled()));
            }
        }
        if (soon < LEAST_TOKENS) {
            return false;
        }
        Match now = longer(longer(longer(null, all, sequence), decoding, sequence), prefilling, sequence);
        return soon - (now == null ? 0 : now.tokens()) >= LEAST_TOKENS;
    }

    private @Nullable Match longer(@Nullable Match best, List<? extends SlotHolder> holders, Sequence sequence) {
        Match longest = best;
        int most = sequence.length() - 1;
        for (SlotHolder holder : holders) {
            int common = Math.min(most, common(sequence, sequence.length(), holder));
            if (common >= LEAST_TOKENS && (longest == null || common > longest.tokens())) {
                longest = new Match(holder, common);
            }
        }
        return longest;
    }

    /** How many of the first {@code length} tokens a holder has filled and may share. */
    private int common(Sequence sequence, int length, SlotHolder holder) {
        return common(sequence, length, holder, holder.filled());
    }

    private int common(Sequence sequence, int length, SlotHolder holder, int filled) {
        if (!acrossKeys && holder.scope() != sequence.scope()) {
            return 0;
        }
        int most = Math.min(length, filled);
        int differs = Arrays.mismatch(sequence.tokens(), 0, most, holder.tokens(), 0, most);
        return differs < 0 ? most : differs;
    }

    /** Whether a match leaves next to nothing of what is kept: its slot is taken over then. */
    static boolean uses(Kept kept, int tokens) {
        return kept.filled - tokens < LEAST_TOKENS;
    }

    /** The slot changes hands with its first {@code tokens} positions; the others are released. */
    void handOver(Kept kept, int tokens) {
        all.remove(kept);
        cut(kept, tokens);
    }

    /** Whether what a sequence that leaves its slot has filled is kept: nobody else holds it. */
    boolean wants(Sequence sequence) {
        if (!enabled || sequence.filled < LEAST_TOKENS) {
            return false;
        }
        for (Kept kept : all) {
            if (sequence.filled - common(sequence, sequence.filled, kept) < LEAST_TOKENS) {
                kept.usedAt = ++uses;
                return false;
            }
        }
        return true;
    }

    /** The slot of a sequence changes hands. What it covers is released: the longer one serves for both. */
    void keep(Sequence sequence) {
        for (int i = all.size() - 1; i >= 0; i--) {
            Kept kept = all.get(i);
            if (uses(kept, common(sequence, sequence.filled, kept))) {
                release(kept);
            }
        }
        all.add(new Kept(sequence, ++uses));
    }

    /**
     * Releases what was not used for longest, its last positions first, until all of the rest fits the budget beside {@code
     * liveBytes}, which do by themselves. {@code but} stays whole.
     */
    void makeRoom(long liveBytes, @Nullable Kept but) {
        long excess = liveBytes + bytes() - kvBudgetBytes;
        while (excess > 0) {
            Kept oldest = oldest(but);
            if (oldest == null) {
                throw new IllegalStateException(
                        "KV memory is over its budget by " + excess + " bytes and nothing can go");
            }
            int tokens = Admission.tokensThatFit(runner, runner.kvBytes(oldest.filled) - excess);
            tokens -= tokens % PIECE_TOKENS;
            if (tokens < LEAST_TOKENS) {
                release(oldest);
            } else {
                cut(oldest, tokens);
            }
            excess = liveBytes + bytes() - kvBudgetBytes;
        }
    }

    /** Whether {@code liveBytes} fit the budget beside {@code kept} alone. */
    boolean fitsBeside(long liveBytes, Kept kept) {
        return liveBytes + runner.kvBytes(kept.filled) <= kvBudgetBytes;
    }

    /** Releases what was not used for longest, if it is not {@code but}, and gives its slot. */
    int releaseOldest(@Nullable Kept but) {
        Kept oldest = oldest(but);
        if (oldest == null) {
            throw new IllegalStateException("no slot is free and nothing is kept that could go");
        }
        release(oldest);
        return oldest.slot;
    }

    void releaseAll() {
        while (!all.isEmpty()) {
            release(all.getLast());
        }
    }

    private @Nullable Kept oldest(@Nullable Kept but) {
        Kept oldest = null;
        for (Kept kept : all) {
            if (kept != but && (oldest == null || kept.usedAt < oldest.usedAt)) {
                oldest = kept;
            }
        }
        return oldest;
    }

    private void release(Kept kept) {
        all.remove(kept);
        runner.releaseSlot(kept.slot, kept.filled);
        kept.filled = 0;
    }

    private void cut(Kept kept, int tokens) {
        if (tokens < kept.filled) {
            runner.shrinkSlot(kept.slot, kept.filled, tokens);
            kept.filled = tokens;
        }
    }
}

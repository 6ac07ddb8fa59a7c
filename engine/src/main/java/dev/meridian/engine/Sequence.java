package dev.meridian.engine;

import dev.meridian.protocol.Priority;
import dev.meridian.protocol.TokenIds;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One choice inside the engine: its tokens, how many of them stand in the KV cache, and where. Owned by the engine thread
 * once submitted.
 *
 * <p>States: WAITING (no slot) to PREFILL (a slot, fewer positions filled than tokens) to DECODE (all but the newest token
 * filled) to ENDED. A sequence that gives up its slot goes from PREFILL or DECODE back to WAITING and runs all its tokens
 * again but those that the prefix cache still has.
 */
final class Sequence implements SlotHolder {
    enum State {
        WAITING,
        PREFILL,
        DECODE,
        ENDED
    }

    static final int NO_SLOT = -1;

    final SequenceRequest request;
    final SamplerSettings sampler;
    final SequenceText text;
    final long arrival;
    final int maxLength;
    private final int promptLength;
    private int[] tokens;
    private int length;
    private State state = State.WAITING;
    /** Positions whose keys and values stand in the slot. */
    int filled;
    /** The same once the coming pass has run. */
    private int scheduled;
    /** Positions whose memory is taken: of guesses that were wrong some lie behind the filled ones. */
    private int held;

    int slot = NO_SLOT;
    final Speculation speculation = new Speculation();
    /** Of the prompt, those that were in the cache when it first got a slot, and not by another choice of the same request. */
    private int cachedTokens = -1;

    long submittedNanos;
    long startedNanos = -1;
    long firstTokenNanos = -1;

    /**
     * @param arrival a number that grows with each sequence
     * @param maxLength prompt and generated tokens together never exceed it
     */
    Sequence(
            SequenceRequest request,
            SamplerSettings sampler,
            SequenceText text,
            long arrival,
            int maxLength,
            long submittedNanos) {
        this.request = request;
        this.sampler = sampler;
        this.text = text;
        this.arrival = arrival;
        this.maxLength = maxLength;
        this.submittedNanos = submittedNanos;
        promptLength = request.promptIds().size();
        TokenIds emitted = request.emitted();
        length = promptLength + emitted.size();
        tokens = Arrays.copyOf(request.promptIds().toArray(), length + 16);
        for (int i = 0; i < emitted.size(); i++) {
            tokens[promptLength + i] = emitted.get(i);
            text.append(emitted.get(i));
        }
    }

    Priority priority() {
        return request.generation().priority();
    }

    State state() {
        return state;
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
    public long scope() {
        return request.cacheScope();
    }

    @Override
    public String requestId() {
        return request.attempt().requestId();
    }

    @Override
    public int cachedTokens() {
        return Math.max(0, cachedTokens);
    }

    /** It begins in a slot of which {@code match} is filled already; null where nothing is. What counts is the first time. */
    void begin(int newSlot, PrefixCache.@Nullable Match match) {
        slot = newSlot;
        filled = match == null ? 0 : match.tokens();
        scheduled = filled;
        held = filled;
        if (cachedTokens < 0) {
            cachedTokens = match != null && match.holder().requestId().equals(requestId())
                    ? match.holder().cachedTokens()
                    : Math.min(filled, promptLength);
        }
    }

    /** The tokens so far; only the first {@link #length()} count. Not a copy. */
    @Override
    public int[] tokens() {
        return tokens;
    }

    int length() {
        return length;
    }

    int promptLength() {
        return promptLength;
    }

    /** Tokens generated, those of earlier attempts among them. */
    int generated() {
        return length - promptLength;
    }

    /** Tokens that prefill still has to run after the coming pass. */
    int unfilled() {
        return length - scheduled;
    }

    int scheduled() {
        return scheduled;
    }

    int held() {
        return held;
    }

    /** The coming pass runs {@code count} more tokens of its prompt. */
    void schedule(int count) {
        scheduled += count;
        hold(scheduled);
    }

    /** A pass has run {@code count} more tokens. */
    void ran(int count) {
        filled += count;
        scheduled = Math.max(scheduled, filled);
        hold(filled);
    }

    /** The memory of its first {@code positions} is taken. */
    void hold(int positions) {
        held = Math.max(held, positions);
    }

    /** It holds only what is filled. */
    void holdFilled() {
        held = filled;
    }

    void leaveSlot() {
        slot = NO_SLOT;
        filled = 0;
        scheduled = 0;
        held = 0;
    }

    int newestToken() {
        return tokens[length - 1];
    }

    void append(int token) {
        if (length == tokens.length) {
            tokens = Arrays.copyOf(tokens, length * 2);
        }
        tokens[length++] = token;
    }

    void become(State next) {
        boolean legal = switch (next) {
            case WAITING -> state == State.PREFILL || state == State.DECODE;
            case PREFILL -> state == State.WAITING;
            case DECODE -> state == State.PREFILL;
            case ENDED -> state != State.ENDED;
        };
        if (!legal) {
            throw new IllegalStateException("a sequence cannot go from " + state + " to " + next);
        }
        state = next;
    }

    /** State and sizes only: tokens are text, and text never reaches a log. */
    @Override
    public String toString() {
        return "Sequence[" + request.attempt() + "/" + request.choice() + " " + state + " slot " + slot + " filled "
                + filled + " of " + length + "]";
    }
}

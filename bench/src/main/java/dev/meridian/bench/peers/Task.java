package dev.meridian.bench.peers;

import java.util.Locale;

/** What is measured of each contender. */
enum Task {
    PREFILL_512("prefill512", "prefill of 512", Kind.PREFILL, 512, 0),
    DECODE_1("decode1", "decode, 1 sequence", Kind.DECODE, 1, 128),
    DECODE_8("decode8", "decode, 8 sequences", Kind.DECODE, 8, 128),
    DECODE_16("decode16", "decode, 16 sequences", Kind.DECODE, 16, 128),
    FIRST_128("first128", "first token of 128", Kind.FIRST_TOKEN, 128, 0),
    FIRST_2000("first2000", "first token of 2,000", Kind.FIRST_TOKEN, 2_000, 0),
    LOAD("load", "load, page cache warm", Kind.LOAD, 0, 0),
    /** Once in a run: filling the context takes longer than everything else together. */
    DECODE_8K("decode8k", "decode, 1 of 8k context", Kind.DECODE, 1, 8_192);

    /** Steps of a measured decoding. */
    static final int DECODE_STEPS = 64;

    /** The most positions of a sequence that any task fills. */
    static final int LONGEST = 8_192 + DECODE_STEPS;

    /** What a figure of the task says. */
    enum Kind {
        /** Prompt tokens a second. */
        PREFILL,
        /** Tokens a second of all sequences together. */
        DECODE,
        /** Milliseconds until the first token's logits are there. */
        FIRST_TOKEN,
        /** Milliseconds. */
        LOAD
    }

    private final String key;
    private final String title;
    private final Kind kind;
    private final int count;
    private final int filled;

    Task(String key, String title, Kind kind, int count, int filled) {
        this.key = key;
        this.title = title;
        this.kind = kind;
        this.count = count;
        this.filled = filled;
    }

    String key() {
        return key;
    }

    String title() {
        return title;
    }

    Kind kind() {
        return kind;
    }

    /** Prompt tokens, or sequences that decode. */
    int count() {
        return count;
    }

    /** Positions of each sequence when its decoding begins. */
    int filled() {
        return filled;
    }

    boolean isRate() {
        return kind == Kind.PREFILL || kind == Kind.DECODE;
    }

    String unit() {
        return isRate() ? "tok/s" : "ms";
    }

    /** The line that a contender's process is given; see {@link ChildContender}. */
    String line() {
        return switch (kind) {
            case PREFILL, FIRST_TOKEN -> "prefill " + count;
            case DECODE -> String.format(Locale.ROOT, "decode %d %d %d", count, filled, DECODE_STEPS);
            case LOAD -> "load";
        };
    }

    /** The task's figure where all of it took so long. */
    double figure(double millis) {
        return switch (kind) {
            case PREFILL -> count * 1e3 / millis;
            case DECODE -> count * DECODE_STEPS * 1e3 / millis;
            case FIRST_TOKEN, LOAD -> millis;
        };
    }
}

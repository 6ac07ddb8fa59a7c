package dev.meridian.bench.http;

/**
 * What the scripted model says, known to both ends: a stream's tokens follow from the last id of its prompt, and different
 * ids never meet. A token's text is {@code <id>:<index>:<nanos>;}, with the time at which the engine's thread made it.
 */
public final class Script {
    /** A power of two, so that {@link #next} visits all ids before it comes back. */
    public static final int VOCABULARY = 1024;

    public static final String MODEL = "scripted";

    /** Memory that a scripted model says it needs. */
    public static final long MODEL_BYTES = 128L << 20;

    private Script() {}

    /** The name of one of several scripted models: the first is {@link #MODEL}, the others have numbers from 2 behind that. */
    public static String model(int number) {
        return number == 1 ? MODEL : MODEL + "-" + number;
    }

    /** The token behind {@code id}: a linear congruential sequence of full period (Knuth, TAOCP 2, 3.2.1.2). */
    public static int next(int id) {
        return (5 * id + 7) % VOCABULARY;
    }

    public static String text(int id, int index, long nanos) {
        return id + ":" + index + ":" + nanos + ";";
    }
}

package dev.meridian.engine;

/**
 * What one forward pass runs: tokens of any sequences, each in a slot at a position. Positions before a row's own are
 * filled already or stand in the same pass. Filled anew for each pass; used by one thread.
 */
public final class Rows {
    /** The most rows of a pass that are guesses of what decoding sequences say next. */
    static final int MOST_GUESSES = 32;

    /** The most rows of a pass with guesses in it: as long as memory is the limit, a few more rows cost next to nothing. */
    static final int MOST_CHECKED = 16;

    private final int[] slots;
    private final int[] positions;
    private final int[] tokens;
    private final int[] wanted;
    private int count;
    private int wantedCount;

    /**
     * Room for a pass.
     *
     * @param most rows
     * @param mostWanted rows whose logits are wanted
     */
    public Rows(int most, int mostWanted) {
        slots = new int[most];
        positions = new int[most];
        tokens = new int[most];
        wanted = new int[mostWanted];
    }

    /** Room for any pass of an engine: prompt tokens, a token of each slot, and guesses where no prompt runs. */
    public static Rows ofEngine(int slots, int prefillChunk) {
        return new Rows(slots + Math.max(prefillChunk, MOST_GUESSES), slots + MOST_GUESSES);
    }

    /** Rows that there is room for. */
    public int most() {
        return slots.length;
    }

    /** Rows whose logits there is room for. */
    public int mostWanted() {
        return wanted.length;
    }

    public void clear() {
        count = 0;
        wantedCount = 0;
    }

    /** Throws IndexOutOfBoundsException where there is no room. */
    public void add(int slot, int position, int token) {
        slots[count] = slot;
        positions[count] = position;
        tokens[count] = token;
        count++;
    }

    /** The newest row's logits are wanted: the row of {@link ModelRunner#logits} that they become. */
    public int want() {
        wanted[wantedCount] = count - 1;
        return wantedCount++;
    }

    public int count() {
        return count;
    }

    public int slot(int row) {
        return slots[row];
    }

    public int position(int row) {
        return positions[row];
    }

    public int token(int row) {
        return tokens[row];
    }

    public int wantedCount() {
        return wantedCount;
    }

    /** The row whose logits are those at {@code index}. */
    public int wanted(int index) {
        return wanted[index];
    }
}

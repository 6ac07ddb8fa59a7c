package dev.meridian.protocol;

import java.util.Arrays;

/** An immutable list of token ids without boxing. Ids are indices into the model's vocabulary. Safe for any thread. */
public final class TokenIds {
    private static final TokenIds EMPTY = new TokenIds(new int[0]);

    private final int[] ids;

    private TokenIds(int[] ids) {
        this.ids = ids;
    }

    public static TokenIds empty() {
        return EMPTY;
    }

    /** Copies {@code ids}. */
    public static TokenIds of(int... ids) {
        return ids.length == 0 ? EMPTY : new TokenIds(ids.clone());
    }

    public int size() {
        return ids.length;
    }

    public int get(int index) {
        return ids[index];
    }

    /** A copy that the caller owns. */
    public int[] toArray() {
        return ids.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof TokenIds that && Arrays.equals(ids, that.ids);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(ids);
    }

    /** The count alone: token ids are text, and text never reaches a log. */
    @Override
    public String toString() {
        return "TokenIds[" + ids.length + "]";
    }
}

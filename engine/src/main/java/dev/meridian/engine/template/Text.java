package dev.meridian.engine.template;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * An immutable string that knows which of its characters came from a message. Offsets are UTF-16 units, unless a name
 * says code points; Python counts the latter. Equal by characters alone: where they came from does not matter there.
 */
final class Text implements Value {
    static final Text EMPTY = new Text("", new int[0]);
    private static final int[] NO_DATA = {};

    private final String chars;
    /** Ascending borders between the template's characters and data; the first run is the template's. */
    private final int[] borders;

    private Text(String chars, int[] borders) {
        this.chars = chars;
        this.borders = borders;
    }

    /** The template's own text. */
    static Text plain(String chars) {
        return chars.isEmpty() ? EMPTY : new Text(chars, NO_DATA);
    }

    /** Text of a client. */
    static Text data(String chars) {
        return chars.isEmpty() ? EMPTY : new Text(chars, new int[] {0});
    }

    String chars() {
        return chars;
    }

    int length() {
        return chars.length();
    }

    boolean isEmpty() {
        return chars.isEmpty();
    }

    int codePoints() {
        return chars.codePointCount(0, chars.length());
    }

    /** The UTF-16 offset of a code point; the whole length for the index one past the last. */
    int offsetOf(int codePoint) {
        return chars.offsetByCodePoints(0, codePoint);
    }

    Text slice(int from, int to) {
        if (from == 0 && to == chars.length()) {
            return this;
        }
        return from >= to ? EMPTY : new Builder().append(this, from, to).build();
    }

    boolean isData(int offset) {
        return (runAt(offset) & 1) == 1;
    }

    /** How many borders lie at or before the offset; odd inside data. */
    private int runAt(int offset) {
        int found = Arrays.binarySearch(borders, offset);
        return found >= 0 ? found + 1 : -found - 1;
    }

    /** The runs of one origin each, in order, none empty. */
    List<Segment> segments() {
        List<Segment> segments = new ArrayList<>();
        int from = 0;
        for (int run = runAt(0); from < chars.length(); run++) {
            int to = run < borders.length ? borders[run] : chars.length();
            segments.add(new Segment(chars.substring(from, to), (run & 1) == 1));
            from = to;
        }
        return segments;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Text that && chars.equals(that.chars);
    }

    @Override
    public int hashCode() {
        return chars.hashCode();
    }

    @Override
    public String toString() {
        return "Text[" + chars.length() + " chars]";
    }

    /** Collects pieces; one thread. */
    static final class Builder {
        private final StringBuilder chars = new StringBuilder();
        private int[] borders = new int[4];
        private int count;

        int length() {
            return chars.length();
        }

        Builder append(String piece, boolean data) {
            if (!piece.isEmpty()) {
                turn(data);
                chars.append(piece);
            }
            return this;
        }

        /** Appends the template's own text. */
        Builder append(String piece) {
            return append(piece, false);
        }

        Builder append(Text piece) {
            return append(piece, 0, piece.length());
        }

        Builder append(Text piece, int from, int to) {
            int at = from;
            for (int run = piece.runAt(from); at < to; run++) {
                int end = run < piece.borders.length ? Math.min(to, piece.borders[run]) : to;
                turn((run & 1) == 1);
                chars.append(piece.chars, at, end);
                at = end;
            }
            return this;
        }

        Text build() {
            return chars.isEmpty() ? EMPTY : new Text(chars.toString(), Arrays.copyOf(borders, count));
        }

        private void turn(boolean data) {
            if (data != ((count & 1) == 1)) {
                if (count == borders.length) {
                    borders = Arrays.copyOf(borders, count * 2);
                }
                borders[count++] = chars.length();
            }
        }
    }
}

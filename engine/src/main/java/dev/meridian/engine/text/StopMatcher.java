package dev.meridian.engine.text;

import java.util.List;

/**
 * Looks for stop texts in a stream of pieces and holds back what may become one. The stop that is complete first ends the
 * text, of several that end there the longest; neither it nor anything after it comes out, however the text was cut.
 * What is held back is shorter than the longest stop. One sequence, one thread.
 */
public final class StopMatcher {
    private final List<String> stops;
    private final StringBuilder held = new StringBuilder();
    private boolean stopped;

    /** Empty stop texts are refused with {@link IllegalArgumentException}. */
    public StopMatcher(List<String> stops) {
        this.stops = List.copyOf(stops);
        if (this.stops.stream().anyMatch(String::isEmpty)) {
            throw new IllegalArgumentException("a stop text is empty");
        }
    }

    /** Takes the next piece and returns what may be sent now; nothing once {@link #stopped()}. */
    public String append(String delta) {
        if (stopped) {
            return "";
        }
        if (stops.isEmpty()) {
            return delta;
        }
        held.append(delta);
        int hit = firstStop();
        stopped = hit >= 0;
        int ready = stopped ? hit : held.length() - longestOpenSuffix();
        String text = held.substring(0, ready);
        held.delete(0, stopped ? held.length() : ready);
        return text;
    }

    /** Whether a stop text was met. */
    public boolean stopped() {
        return stopped;
    }

    /** Ends the text: what was held back is no stop and comes out. */
    public String flush() {
        String rest = held.toString();
        held.setLength(0);
        return rest;
    }

    /** Where the stop begins that ends first, or -1; the longest of those that end there. */
    private int firstStop() {
        int start = -1;
        int end = Integer.MAX_VALUE;
        for (String stop : stops) {
            int found = held.indexOf(stop);
            int foundEnd = found + stop.length();
            if (found >= 0 && (foundEnd < end || (foundEnd == end && found < start))) {
                start = found;
                end = foundEnd;
            }
        }
        return start;
    }

    /** The length of the longest end of the text that begins some stop. */
    private int longestOpenSuffix() {
        int longest = 0;
        for (String stop : stops) {
            for (int length = Math.min(stop.length() - 1, held.length()); length > longest; length--) {
                if (stop.startsWith(held.substring(held.length() - length))) {
                    longest = length;
                }
            }
        }
        return longest;
    }
}

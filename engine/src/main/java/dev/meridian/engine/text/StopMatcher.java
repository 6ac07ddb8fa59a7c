package dev.meridian.engine.text;

import java.util.List;

/**
 * Looks for stop texts in a stream of pieces and holds back what may become one. The stop that is complete first ends the
 * text, of several that end there the longest; neither it nor anything after it comes out, however the text was cut.
 * What is held back is shorter than the longest stop. One sequence, one thread.
 */
public final class StopMatcher {
    /** What may be sent now, and whether a stop text was met, after which nothing more comes. */
    public record Result(String text, boolean stopped) {}

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

    public Result append(String delta) {
        if (stopped) {
            return new Result("", true);
        }
        if (stops.isEmpty()) {
            return new Result(delta, false);
        }
        held.append(delta);
        int hit = earliestStop();
        if (hit >= 0) {
            stopped = true;
            String text = held.substring(0, hit);
            held.setLength(0);
            return new Result(text, true);
        }
        int ready = held.length() - longestOpenSuffix();
        String text = held.substring(0, ready);
        held.delete(0, ready);
        return new Result(text, false);
    }

    /** Ends the text: what was held back is no stop and comes out. */
    public String flush() {
        String rest = held.toString();
        held.setLength(0);
        return rest;
    }

    /** Where the stop begins that ends first; the longest of those, so that none is left over before it. */
    private int earliestStop() {
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

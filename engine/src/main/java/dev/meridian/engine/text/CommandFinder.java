package dev.meridian.engine.text;

import dev.meridian.engine.template.Segment;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Finds the added tokens that a template wrote: leftmost first, then longest, and those that the library looks for
 * before normalisation ahead of all others. One that holds a single character of a message is none. Immutable.
 */
final class CommandFinder {
    /** A token at {@code [from, to)} of the whole text, in UTF-16 units. */
    record Found(AddedToken token, int from, int to) {}

    private final Map<Character, List<AddedToken>> plain;
    private final Map<Character, List<AddedToken>> normalized;

    CommandFinder(List<AddedToken> tokens) {
        plain = byFirstChar(tokens.stream()
                .filter(t -> !t.isOrdinaryText() && !t.normalized())
                .toList());
        normalized = byFirstChar(tokens.stream()
                .filter(t -> !t.isOrdinaryText() && t.normalized())
                .toList());
    }

    private static Map<Character, List<AddedToken>> byFirstChar(List<AddedToken> tokens) {
        Map<Character, List<AddedToken>> byFirst = new HashMap<>();
        tokens.forEach(token -> byFirst.computeIfAbsent(token.content().charAt(0), _ -> new ArrayList<>())
                .add(token));
        byFirst.values()
                .forEach(list -> list.sort(Comparator.comparingInt(
                        (AddedToken token) -> -token.content().length())));
        return byFirst;
    }

    /** The tokens in the order of the text. */
    List<Found> find(List<Segment> segments) {
        List<Found> found = new ArrayList<>();
        StringBuilder run = new StringBuilder();
        int start = 0;
        for (Segment segment : segments) {
            if (segment.fromMessage()) {
                inRun(run.toString(), start, found);
                start += run.length() + segment.text().length();
                run.setLength(0);
            } else {
                run.append(segment.text());
            }
        }
        inRun(run.toString(), start, found);
        return found;
    }

    private void inRun(String run, int offset, List<Found> found) {
        List<Found> first = scan(run, 0, run.length(), offset, plain);
        int from = 0;
        for (Found token : first) {
            found.addAll(scan(run, from, token.from - offset, offset, normalized));
            found.add(token);
            from = token.to - offset;
        }
        found.addAll(scan(run, from, run.length(), offset, normalized));
    }

    private static List<Found> scan(
            String run, int from, int to, int offset, Map<Character, List<AddedToken>> candidates) {
        List<Found> found = new ArrayList<>();
        for (int at = from; at < to && !candidates.isEmpty(); ) {
            int next = at + 1;
            for (AddedToken token : candidates.getOrDefault(run.charAt(at), List.of())) {
                int end = at + token.content().length();
                if (end <= to && run.startsWith(token.content(), at)) {
                    found.add(new Found(token, offset + at, offset + end));
                    next = end;
                    break;
                }
            }
            at = next;
        }
        return found;
    }
}

package dev.meridian.placement.simulation;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;

/**
 * Round-trip times in microseconds, by region of the user and region of the replica. Where only one direction is known it holds for
 * the other, too; within a region nothing said is 0.
 */
public record RoundTrips(Map<String, Map<String, Long>> micros) {
    private static final double MICROS_PER_MILLI = 1000;

    public RoundTrips {
        Map<String, Map<String, Long>> copy = new TreeMap<>();
        micros.forEach((from, row) -> copy.put(from, Map.copyOf(row)));
        micros = copy;
    }

    /** Empty where nothing is known. */
    public OptionalLong between(String from, String to) {
        Long known = micros.getOrDefault(from, Map.of()).get(to);
        if (known == null) {
            known = micros.getOrDefault(to, Map.of()).get(from);
        }
        if (known != null) {
            return OptionalLong.of(known);
        }
        return from.equals(to) ? OptionalLong.of(0) : OptionalLong.empty();
    }

    /**
     * Reads a matrix in milliseconds as comma-separated values: the first line names places, and so does the first cell of each other
     * line.
     *
     * @param places by region, the place that it takes its times from: a name, or its last word
     * @throws IllegalArgumentException naming the line
     */
    public static RoundTrips parse(List<String> lines, Map<String, String> places) {
        if (lines.isEmpty()) {
            throw new IllegalArgumentException("line 1: expected the names of places");
        }
        List<String> header = cells(lines.getFirst());
        Map<String, Integer> columns = new TreeMap<>();
        places.forEach((region, place) -> columns.put(region, column(header, place)));
        Map<String, Map<String, Long>> micros = new TreeMap<>();
        for (int i = 1; i < lines.size(); i++) {
            List<String> cells = cells(lines.get(i));
            for (Map.Entry<String, String> from : places.entrySet()) {
                if (isNamed(cells.getFirst(), from.getValue())) {
                    Map<String, Long> row = new TreeMap<>();
                    int line = i + 1;
                    columns.forEach((to, column) -> row.put(to, micros(cells, column, line)));
                    micros.put(from.getKey(), row);
                }
            }
        }
        places.forEach((region, place) -> {
            if (!micros.containsKey(region)) {
                throw new IllegalArgumentException("no line is called '" + place + "'");
            }
        });
        return new RoundTrips(micros);
    }

    private static List<String> cells(String line) {
        return List.of(line.split(",", -1));
    }

    private static boolean isNamed(String cell, String place) {
        return cell.equals(place) || cell.endsWith(" " + place);
    }

    private static int column(List<String> header, String place) {
        for (int i = 1; i < header.size(); i++) {
            if (isNamed(header.get(i), place)) {
                return i;
            }
        }
        throw new IllegalArgumentException("no column is called '" + place + "'");
    }

    private static long micros(List<String> cells, int column, int line) {
        String cell = column < cells.size() ? cells.get(column) : "";
        try {
            double millis = Double.parseDouble(cell);
            if (millis >= 0 && Double.isFinite(millis)) {
                return Math.round(millis * MICROS_PER_MILLI);
            }
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("line " + line + ": '" + cell + "' is no time in milliseconds", e);
        }
        throw new IllegalArgumentException("line " + line + ": '" + cell + "' is no time in milliseconds");
    }

    /** Regions from the nearest on, as the routing of a region prefers them: the own one first, unknown ones last. */
    List<String> nearest(String from, List<String> regions) {
        List<String> sorted = new ArrayList<>(regions);
        sorted.sort(Comparator.comparingLong((String to) -> to.equals(from) ? -1 : distance(from, to))
                .thenComparing(Comparator.naturalOrder()));
        return sorted;
    }

    private long distance(String from, String to) {
        return between(from, to).orElse(Long.MAX_VALUE);
    }
}

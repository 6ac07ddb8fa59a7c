package dev.meridian.placement.simulation;

import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Requests that were once sent to a real service, by the time since the first of them. */
public record Trace(List<Entry> entries) {
    private static final String HEADER = "TIMESTAMP,ContextTokens,GeneratedTokens";
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss[.SSSSSSS][.SSSSSS]", Locale.ROOT);

    /** One request. */
    public record Entry(long atMicros, int promptTokens, int outputTokens) {}

    public Trace {
        entries = List.copyOf(entries);
        if (entries.isEmpty()) {
            throw new IllegalArgumentException("a trace without requests");
        }
    }

    /** From its first request to its last, and the mean distance of two once more, after which it begins again. */
    long cycleMicros() {
        long span = entries.getLast().atMicros();
        return span == 0 ? Moments.SECOND : span + span / (entries.size() - 1);
    }

    /**
     * Reads the format of Azure's LLM inference traces of 2023.
     *
     * @throws IllegalArgumentException naming the line
     */
    public static Trace parse(List<String> lines) {
        if (lines.isEmpty() || !lines.getFirst().strip().equals(HEADER)) {
            throw new IllegalArgumentException("line 1: expected " + HEADER);
        }
        List<Entry> entries = new ArrayList<>();
        LocalDateTime first = null;
        for (int i = 1; i < lines.size(); i++) {
            String[] cells = lines.get(i).strip().split(",", -1);
            try {
                LocalDateTime at = LocalDateTime.parse(cells[0], TIME);
                first = first == null ? at : first;
                long micros = ChronoUnit.MICROS.between(first, at);
                int prompt = Integer.parseInt(cells[1]);
                int output = Integer.parseInt(cells[2]);
                boolean inOrder =
                        entries.isEmpty() || micros >= entries.getLast().atMicros();
                if (cells.length != 3 || prompt < 0 || output < 0 || !inOrder) {
                    throw new IllegalArgumentException("line " + (i + 1) + ": out of order, or no three values");
                }
                entries.add(new Entry(micros, Math.max(1, prompt), Math.max(1, output)));
            } catch (DateTimeParseException | NumberFormatException | ArrayIndexOutOfBoundsException e) {
                throw new IllegalArgumentException("line " + (i + 1) + ": expected a time and two counts", e);
            }
        }
        return new Trace(entries);
    }
}

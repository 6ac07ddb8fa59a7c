package dev.meridian.bench.soak;

import dev.meridian.bench.MeasurementFailed;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.LocalDateTime;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * When requests came and how long they were.
 *
 * @param name what the report calls it
 * @param arrivals in order of time, at least two; the first is at 0
 */
record Trace(String name, List<Arrival> arrivals) {
    /** The columns of the Azure LLM inference traces (Patel et al., Splitwise, ISCA 2024). */
    static final String HEADER = "TIMESTAMP,ContextTokens,GeneratedTokens";

    // The synthetic trace's medians and spreads are those of the Azure trace of conversations of 2023.
    private static final int SYNTHETIC_ARRIVALS = 20_000;
    private static final double ARRIVAL_SECONDS = 0.18;
    private static final double ARRIVAL_SPREAD = 0.89;
    private static final double PROMPT_MEDIAN = 1020;
    private static final double PROMPT_SPREAD = 0.99;
    private static final double REPLY_MEDIAN = 129;
    private static final double REPLY_SPREAD = 0.86;
    private static final int MOST_TOKENS = 14_000;

    /**
     * One request.
     *
     * @param nanos after the first one
     */
    record Arrival(long nanos, int promptTokens, int replyTokens) {}

    Trace {
        arrivals = List.copyOf(arrivals);
    }

    /** Reads a CSV file with {@link #HEADER}. Throws MeasurementFailed naming file, line and what is wrong with it. */
    static Trace read(Path file) throws IOException {
        List<String> lines = Files.readAllLines(file);
        if (lines.isEmpty() || !lines.getFirst().strip().equals(HEADER)) {
            throw new MeasurementFailed(file + ": line 1: expected " + HEADER);
        }
        List<Arrival> arrivals = new ArrayList<>();
        LocalDateTime first = null;
        for (int at = 1; at < lines.size(); at++) {
            String line = lines.get(at).strip();
            if (line.isEmpty()) {
                continue;
            }
            try {
                String[] fields = line.split(",", -1);
                if (fields.length != 3) {
                    throw new IllegalArgumentException(fields.length + " fields instead of 3");
                }
                LocalDateTime time = LocalDateTime.parse(fields[0].strip().replace(' ', 'T'));
                first = first == null ? time : first;
                long nanos = ChronoUnit.NANOS.between(first, time);
                if (!arrivals.isEmpty() && nanos < arrivals.getLast().nanos()) {
                    throw new IllegalArgumentException("earlier than the line before");
                }
                arrivals.add(
                        new Arrival(nanos, tokens(fields[1], "ContextTokens"), tokens(fields[2], "GeneratedTokens")));
            } catch (DateTimeException | IllegalArgumentException e) {
                throw new MeasurementFailed(file + ": line " + (at + 1) + ": " + e.getMessage(), e);
            }
        }
        return new Trace(file.getFileName().toString(), arrivals).checked(file.toString());
    }

    private static int tokens(String field, String column) {
        try {
            int tokens = Integer.parseInt(field.strip());
            if (tokens >= 1) {
                return tokens;
            }
        } catch (NumberFormatException _) {
            // Told below, as for numbers that are too small.
        }
        throw new IllegalArgumentException(column + " '" + field.strip() + "': expected a whole number from 1");
    }

    private Trace checked(String source) {
        if (arrivals.size() < 2 || arrivals.getLast().nanos() == 0) {
            throw new MeasurementFailed(source + ": a trace needs at least two requests at different times");
        }
        return this;
    }

    /**
     * Log-normal gaps (mean {@value #ARRIVAL_SECONDS} s, sigma {@value #ARRIVAL_SPREAD}), prompts (median
     * {@value #PROMPT_MEDIAN} tokens, sigma {@value #PROMPT_SPREAD}) and replies ({@value #REPLY_MEDIAN}, sigma
     * {@value #REPLY_SPREAD}), all independent.
     */
    static Trace synthetic(long seed) {
        Random random = new Random(seed);
        List<Arrival> arrivals = new ArrayList<>();
        double seconds = 0;
        for (int i = 0; i < SYNTHETIC_ARRIVALS; i++) {
            arrivals.add(new Arrival(
                    (long) (seconds * 1e9),
                    clamp(PROMPT_MEDIAN * Math.exp(PROMPT_SPREAD * random.nextGaussian())),
                    clamp(REPLY_MEDIAN * Math.exp(REPLY_SPREAD * random.nextGaussian()))));
            double median = ARRIVAL_SECONDS * Math.exp(-ARRIVAL_SPREAD * ARRIVAL_SPREAD / 2);
            seconds += median * Math.exp(ARRIVAL_SPREAD * random.nextGaussian());
        }
        return new Trace("synthetic", arrivals);
    }

    private static int clamp(double tokens) {
        return (int) Math.max(1, Math.min(MOST_TOKENS, Math.round(tokens)));
    }

    /** Requests a second over the whole trace. */
    double rate() {
        return (arrivals.size() - 1) / (arrivals.getLast().nanos() / 1e9);
    }

    /**
     * The factor that makes the trace's lengths fit a context: all but the longest hundredth of the requests fit whole,
     * those are cut.
     */
    double lengthScale(int contextTokens) {
        int[] totals = arrivals.stream()
                .mapToInt(arrival -> arrival.promptTokens() + arrival.replyTokens())
                .toArray();
        Arrays.sort(totals);
        return Math.min(1, contextTokens / (double) totals[(int) (0.99 * (totals.length - 1))]);
    }
}

package dev.meridian.node;

import java.io.PrintWriter;
import java.util.Objects;
import java.util.function.LongSupplier;

/**
 * How far a long command is. On a terminal one line that rewrites itself, at most ten times a second; elsewhere a line at
 * every tenth of the way. One thread.
 */
final class ProgressBar implements AutoCloseable {
    private static final int CELLS = 30;
    private static final int LABEL_CHARS = 32;
    private static final int PLAIN_STEP_PERCENT = 10;
    private static final long REDRAW_NANOS = 100_000_000L;
    private static final long SECOND_NANOS = 1_000_000_000L;
    private static final String ERASE_TO_END = "\u001b[K";

    private final PrintWriter out;
    private final boolean terminal;
    private final LongSupplier nanoTime;
    private final long startNanos;
    private long drawnNanos;
    private int drawnPercent = -1;
    private boolean lineOpen;

    ProgressBar(PrintWriter out, boolean terminal, LongSupplier nanoTime) {
        this.out = out;
        this.terminal = terminal;
        this.nanoTime = nanoTime;
        this.startNanos = nanoTime.getAsLong();
    }

    /** A bar on this process's terminal, if it has one. */
    static ProgressBar on(PrintWriter out) {
        // Never null since JDK 22; the requirement is for NullAway, which knows the older contract.
        boolean terminal = Objects.requireNonNull(System.console()).isTerminal();
        return new ProgressBar(out, terminal, System::nanoTime);
    }

    /** Shows that {@code done} of {@code total} units are done and what is being worked on. */
    void update(long done, long total, String label) {
        if (done < 0 || total < done) {
            throw new IllegalArgumentException(done + " of " + total);
        }
        long now = nanoTime.getAsLong();
        int percent = total == 0 ? 100 : (int) (100.0 * done / total);
        if (terminal && (drawnPercent < 0 || done == total || now - drawnNanos >= REDRAW_NANOS)) {
            out.print("\r" + line(percent, remainingSeconds(done, total, now), label) + ERASE_TO_END);
            lineOpen = true;
            drawn(percent, now);
        } else if (!terminal && percent / PLAIN_STEP_PERCENT > Math.floorDiv(drawnPercent, PLAIN_STEP_PERCENT)) {
            out.println(percent + " % " + label);
            drawn(percent, now);
        }
    }

    /** Leaves the cursor on a line of its own, as an error message wants it. */
    @Override
    public void close() {
        if (lineOpen) {
            out.println();
            out.flush();
            lineOpen = false;
        }
    }

    private void drawn(int percent, long now) {
        out.flush();
        drawnPercent = percent;
        drawnNanos = now;
    }

    /** Seconds to go at the pace so far; -1 in the first second, when nobody can tell, and at the end. */
    private long remainingSeconds(long done, long total, long now) {
        long elapsed = now - startNanos;
        if (done == 0 || done == total || elapsed < SECOND_NANOS) {
            return -1;
        }
        return (long) Math.ceil((double) elapsed / SECOND_NANOS * (total - done) / done);
    }

    private static String line(int percent, long remainingSeconds, String label) {
        int filled = CELLS * percent / 100;
        String bar = "#".repeat(filled) + ".".repeat(CELLS - filled);
        String left = remainingSeconds < 0 ? "" : ", " + remainingSeconds + " s left";
        String cut = label.length() <= LABEL_CHARS ? label : "…" + label.substring(label.length() - LABEL_CHARS + 1);
        return "[%s] %3d %%%s  %s".formatted(bar, percent, left, cut);
    }
}

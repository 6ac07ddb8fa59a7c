package dev.meridian.bench.soak;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;

/** Counts of what became of the requests. Thread-safe. */
final class Tally {
    private static final int KEPT_PROBLEMS = 20;

    final LongAdder started = new LongAdder();
    final LongAdder completed = new LongAdder();
    /** Clients that left in the middle, as they were meant to. */
    final LongAdder left = new LongAdder();
    /** Refused by name: 429 and 503. */
    final LongAdder refused = new LongAdder();
    /** Not sent, because too many were running. */
    final LongAdder skipped = new LongAdder();
    /** Broken connections, errors of the server. */
    final LongAdder failed = new LongAdder();
    /** Complete and not what was asked for. */
    final LongAdder wrong = new LongAdder();
    /** Greedy and other words than the first time. */
    final LongAdder differing = new LongAdder();

    final LongAdder tokens = new LongAdder();
    private final List<String> problems = new ArrayList<>();

    /** Keeps the first few, for the report. */
    void problem(SoakRequest request, String what) {
        synchronized (problems) {
            if (problems.size() < KEPT_PROBLEMS) {
                problems.add("row " + request.row() + ", " + request.kind() + ": " + what);
            }
        }
    }

    List<String> problems() {
        synchronized (problems) {
            return List.copyOf(problems);
        }
    }
}

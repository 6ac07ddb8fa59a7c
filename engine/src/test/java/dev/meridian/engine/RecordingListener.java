package dev.meridian.engine;

import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.Entry;
import dev.meridian.protocol.Refusal;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;

/** Keeps what an engine says, and waits for it. */
public final class RecordingListener implements StepListener {
    private static final long PATIENCE_SECONDS = 20;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Map<String, List<Entry>> entries = new HashMap<>();
    private final Map<Attempt, Refusal> refusals = new HashMap<>();
    private final List<Throwable> failures = new ArrayList<>();

    @Override
    public void onStep(long step, List<Entry> made) {
        change(() -> made.forEach(
                entry -> entries.computeIfAbsent(key(entry.attempt(), entry.choice()), k -> new ArrayList<>())
                        .add(entry)));
    }

    @Override
    public void onRefused(Attempt attempt, Refusal reason) {
        change(() -> {
            Refusal before = refusals.put(attempt, reason);
            if (before != null) {
                failures.add(new IllegalStateException(attempt + " was refused twice"));
            }
        });
    }

    @Override
    public void onFailed(Throwable cause) {
        change(() -> failures.add(cause));
    }

    public List<Entry> entries(Attempt attempt, int choice) {
        lock.lock();
        try {
            return List.copyOf(entries.getOrDefault(key(attempt, choice), List.of()));
        } finally {
            lock.unlock();
        }
    }

    public String text(Attempt attempt, int choice) {
        StringBuilder text = new StringBuilder();
        entries(attempt, choice).forEach(entry -> text.append(entry.text()));
        return text.toString();
    }

    public List<Throwable> failures() {
        lock.lock();
        try {
            return List.copyOf(failures);
        } finally {
            lock.unlock();
        }
    }

    /** Waits until a choice has finished. */
    public void awaitFinish(Attempt attempt, int choice) {
        await(attempt + "/" + choice + " to finish", () -> finished(attempt, choice));
    }

    public boolean finished(Attempt attempt, int choice) {
        List<Entry> got = entries(attempt, choice);
        return !got.isEmpty() && got.getLast().finish() != null;
    }

    public boolean refused(Attempt attempt) {
        lock.lock();
        try {
            return refusals.containsKey(attempt);
        } finally {
            lock.unlock();
        }
    }

    public Refusal awaitRefusal(Attempt attempt) {
        await(attempt + " to be refused", () -> refusals.containsKey(attempt));
        lock.lock();
        try {
            return java.util.Objects.requireNonNull(refusals.get(attempt));
        } finally {
            lock.unlock();
        }
    }

    /** Waits for a condition over what was said; fails with the state after {@value #PATIENCE_SECONDS} seconds. */
    public void await(String what, BooleanSupplier holds) {
        lock.lock();
        try {
            long left = TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
            while (!holds.getAsBoolean()) {
                if (left <= 0 || !failures.isEmpty()) {
                    throw new AssertionError("waited for " + what + "; entries of " + entries.keySet() + ", refused "
                            + refusals + ", failures " + failures);
                }
                left = changed.awaitNanos(left);
            }
        } catch (InterruptedException e) {
            throw new AssertionError("interrupted while waiting for " + what, e);
        } finally {
            lock.unlock();
        }
    }

    private void change(Runnable action) {
        lock.lock();
        try {
            action.run();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private static String key(Attempt attempt, int choice) {
        return attempt.requestId() + "#" + attempt.number() + "/" + choice;
    }
}

package dev.meridian.edge.stream;

import dev.meridian.protocol.cluster.ModelDemand;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Counts what is asked of each model at this edge, health checks aside. Averages decay exponentially: what is so old as the
 * half-life counts half. Written by the mux, read from any thread.
 */
public final class DemandMeter {
    /** Averages below this, of a model that is not asked for, are those of one that was never asked for. */
    private static final double NOTHING = 1e-6;

    private static final double NANOS_PER_SECOND = 1e9;

    private final double halfLifeNanos;
    private final double loadHalfLifeNanos;
    private final LongSupplier nanoClock;
    private final Map<String, OfModel> models = new HashMap<>();
    private volatile Runnable waits = () -> {};

    /**
     * A meter.
     *
     * @param halfLife of the average of requests
     * @param loadHalfLife of the averages of streams and tokens
     * @param nanoClock like {@link System#nanoTime}
     */
    public DemandMeter(Duration halfLife, Duration loadHalfLife, LongSupplier nanoClock) {
        if (!halfLife.isPositive() || !loadHalfLife.isPositive()) {
            throw new IllegalArgumentException("demand-half-life and load-half-life: expected above 0");
        }
        halfLifeNanos = halfLife.toNanos();
        loadHalfLifeNanos = loadHalfLife.toNanos();
        this.nanoClock = nanoClock;
    }

    /** Averages of one model, as they were at {@code at}. */
    private static final class OfModel {
        double requestsPerSecond;
        double tokensPerSecond;
        double streams;
        int live;
        final Map<String, Long> waiting = new HashMap<>();
        long at;
        long usedAt;

        OfModel(long now) {
            at = now;
            usedAt = now;
        }

        boolean isForgotten() {
            return live == 0
                    && waiting.isEmpty()
                    && requestsPerSecond < NOTHING
                    && tokensPerSecond < NOTHING
                    && streams < NOTHING;
        }
    }

    /** Calls {@code listener}, on the mux's thread, when a request begins to wait for a load. There is one listener. */
    public void onWaiting(Runnable listener) {
        waits = listener;
    }

    /** Of each model that was asked for of late. */
    public synchronized List<ModelDemand> demand() {
        long now = nanoClock.getAsLong();
        models.values().forEach(model -> decay(model, now));
        models.values().removeIf(OfModel::isForgotten);
        return models.entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .map(entry -> shown(entry.getKey(), entry.getValue(), now))
                .toList();
    }

    private static ModelDemand shown(String name, OfModel model, long now) {
        long longest = model.waiting.values().stream()
                .mapToLong(since -> now - since)
                .max()
                .orElse(0);
        boolean isUsed = model.live > 0 || !model.waiting.isEmpty();
        return new ModelDemand(
                name,
                model.requestsPerSecond,
                model.tokensPerSecond,
                model.streams,
                model.waiting.size(),
                TimeUnit.NANOSECONDS.toMillis(longest),
                isUsed ? 0 : TimeUnit.NANOSECONDS.toMillis(now - model.usedAt));
    }

    private OfModel now(String name) {
        long now = nanoClock.getAsLong();
        OfModel model = models.computeIfAbsent(name, _ -> new OfModel(now));
        decay(model, now);
        model.usedAt = now;
        return model;
    }

    private void decay(OfModel model, long now) {
        model.requestsPerSecond *= Math.exp(-Math.log(2) * (now - model.at) / halfLifeNanos);
        double kept = Math.exp(-Math.log(2) * (now - model.at) / loadHalfLifeNanos);
        model.tokensPerSecond *= kept;
        int busy = model.live + model.waiting.size();
        model.streams = busy + (model.streams - busy) * kept;
        model.at = now;
    }

    /** What one event adds to a rate whose sum decays. */
    private static double one(double halfLifeNanos) {
        return Math.log(2) * NANOS_PER_SECOND / halfLifeNanos;
    }

    /** A request came. */
    synchronized void asked(String model) {
        now(model).requestsPerSecond += one(halfLifeNanos);
    }

    synchronized void opened(String model) {
        now(model).live++;
    }

    synchronized void token(String model) {
        now(model).tokensPerSecond += one(loadHalfLifeNanos);
    }

    synchronized void closed(String model) {
        now(model).live--;
    }

    /** A request waits for a load. */
    void waits(String model, String request) {
        synchronized (this) {
            now(model).waiting.put(request, nanoClock.getAsLong());
        }
        waits.run();
    }

    /** It waits no longer, for whatever reason. */
    synchronized void waitsNoMore(String model, String request) {
        now(model).waiting.remove(request);
    }
}

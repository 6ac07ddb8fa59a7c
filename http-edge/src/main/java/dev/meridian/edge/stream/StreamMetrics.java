package dev.meridian.edge.stream;

import dev.meridian.protocol.Timings;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The edge's meters. A label {@code model} is only ever a model of the directory, so their number is bounded.
 * Thread-safe.
 */
public final class StreamMetrics {
    private static final Duration[] LONG_BUCKETS =
            millis(5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000);
    private static final Duration[] SHORT_BUCKETS = millis(1, 2, 5, 10, 20, 35, 50, 75, 100, 150, 250, 500, 1000, 2500);

    private final MeterRegistry registry;
    private final Map<String, OfModel> models = new ConcurrentHashMap<>();
    private final Map<String, Counter> refusals = new ConcurrentHashMap<>();
    private final DemandMeter demand;
    private final RoutingJournal routes;
    private final AtomicInteger activeStreams = new AtomicInteger();

    /**
     * Meters in {@code registry}, with what {@code journals} hold; what is asked is counted in {@code demand}, and where it goes
     * written down in {@code routes}.
     */
    public StreamMetrics(MeterRegistry registry, JournalBudget journals, DemandMeter demand, RoutingJournal routes) {
        this.registry = registry;
        this.demand = demand;
        this.routes = routes;
        Gauge.builder("meridian.streams.active", activeStreams, AtomicInteger::get)
                .description("Requests that a replica works on or is asked for, without health checks")
                .register(registry);
        Gauge.builder("meridian.journal.bytes", journals, JournalBudget::heldBytes)
                .description("Entries that clients have not got yet, or may come back for, estimated heap bytes")
                .register(registry);
        Gauge.builder("meridian.journal.reserved.bytes", journals, JournalBudget::reservedBytes)
                .description("What running streams may still bring, estimated heap bytes")
                .register(registry);
        Gauge.builder("meridian.journal.limit.bytes", journals, JournalBudget::limitBytes)
                .description("What both may be together")
                .register(registry);
    }

    DemandMeter demand() {
        return demand;
    }

    RoutingJournal routes() {
        return routes;
    }

    void activeStreams(int count) {
        activeStreams.set(count);
    }

    /** Counts a request that was not served; {@code reason} is one of the fixed codes of the error table. */
    public void refused(String reason) {
        refusals.computeIfAbsent(reason, this::refusalCounter).increment();
    }

    private Counter refusalCounter(String reason) {
        return Counter.builder("meridian.refusals")
                .description("Requests refused or ended early, by reason")
                .tag("reason", reason)
                .register(registry);
    }

    /** The meters of a model that the directory names. */
    public OfModel of(String model) {
        return models.computeIfAbsent(model, name -> new OfModel(registry, name));
    }

    private static Duration[] millis(long... values) {
        Duration[] durations = new Duration[values.length];
        for (int i = 0; i < values.length; i++) {
            durations[i] = Duration.ofMillis(values[i]);
        }
        return durations;
    }

    /** One model's meters. */
    public static final class OfModel {
        private final Timer timeToFirstToken;
        private final Timer interTokenLatency;
        private final Timer queue;
        private final Counter prefillTokens;
        private final Counter decodeTokens;
        private final Counter failovers;

        OfModel(MeterRegistry registry, String model) {
            timeToFirstToken =
                    timer("meridian.ttft", "Request received to first token sent", LONG_BUCKETS, model, registry);
            interTokenLatency = timer(
                    "meridian.inter.token.latency", "Gap between tokens of a choice", SHORT_BUCKETS, model, registry);
            queue = timer("meridian.queue", "Waiting for a slot in the engine", LONG_BUCKETS, model, registry);
            prefillTokens = counter("meridian.prefill.tokens", "Prompt tokens of accepted attempts", model, registry);
            decodeTokens = counter("meridian.decode.tokens", "Generated tokens received", model, registry);
            failovers = counter(
                    "meridian.failovers",
                    "Attempts that went to another replica or followed a loss, of a replica, its heartbeats or entries",
                    model,
                    registry);
        }

        private static Timer timer(String name, String what, Duration[] buckets, String model, MeterRegistry registry) {
            return Timer.builder(name)
                    .description(what)
                    .serviceLevelObjectives(buckets)
                    .tag("model", model)
                    .register(registry);
        }

        private static Counter counter(String name, String what, String model, MeterRegistry registry) {
            return Counter.builder(name).description(what).tag("model", model).register(registry);
        }

        /** The first token of a request left for its client. */
        public void firstToken(long nanosSinceRequest) {
            timeToFirstToken.record(nanosSinceRequest, TimeUnit.NANOSECONDS);
        }

        /** Tokens that clients' streams have got of this model so far. */
        public double tokens() {
            return decodeTokens.count();
        }

        void token(long nanosSinceLast) {
            decodeTokens.increment();
            if (nanosSinceLast >= 0) {
                interTokenLatency.record(nanosSinceLast, TimeUnit.NANOSECONDS);
            }
        }

        void accepted(int promptTokens) {
            prefillTokens.increment(promptTokens);
        }

        void finished(Timings timings) {
            queue.record(timings.queueMicros(), TimeUnit.MICROSECONDS);
        }

        void failover() {
            failovers.increment();
        }
    }
}

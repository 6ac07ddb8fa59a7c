package dev.meridian.node;

import dev.meridian.engine.EngineStats;
import dev.meridian.engine.LoadedModel;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;

/** What an engine says of itself, for {@code /metrics}, from its load to {@link #close}. */
final class EngineMetrics implements AutoCloseable {
    private final MeterRegistry registry;
    private final LoadedModel model;
    private final List<Meter> meters = new ArrayList<>();

    private EngineMetrics(MeterRegistry registry, LoadedModel model) {
        this.registry = registry;
        this.model = model;
        gauge("meridian.batch.size", "Sequences that decode together now", EngineStats::decoding);
        gauge("meridian.queue.length", "Sequences that wait for a slot", EngineStats::waiting);
        gauge("meridian.kv.bytes", "Native bytes of KV caches in use", EngineStats::kvBytes);
        gauge(
                "meridian.kv.kept.bytes",
                "Native bytes of KV caches that outlive their sequences",
                EngineStats::keptBytes);
        meters.add(
                Gauge.builder("meridian.kv.budget.bytes", model, m -> m.memory().kvBudgetBytes())
                        .description("Native bytes that KV caches may use")
                        .tag("model", model.id())
                        .register(registry));
        counter("meridian.engine.steps", "Engine steps", EngineStats::step);
        counter("meridian.engine.prefill.tokens", "Prompt tokens run", EngineStats::prefillTokens);
        counter(
                "meridian.engine.cached.tokens",
                "Prompt tokens not run, because their KV cache was there",
                EngineStats::cachedTokens);
        counter("meridian.engine.decode.tokens", "Tokens generated", EngineStats::decodeTokens);
        counter(
                "meridian.engine.preemptions",
                "Sequences that gave their slot up for lack of KV memory",
                EngineStats::preemptions);
    }

    static EngineMetrics register(MeterRegistry registry, LoadedModel model) {
        return new EngineMetrics(registry, model);
    }

    private void gauge(String name, String description, ToDoubleFunction<EngineStats> value) {
        meters.add(Gauge.builder(name, model, m -> value.applyAsDouble(m.stats()))
                .description(description)
                .tag("model", model.id())
                .register(registry));
    }

    private void counter(String name, String description, ToDoubleFunction<EngineStats> value) {
        meters.add(FunctionCounter.builder(name, model, m -> value.applyAsDouble(m.stats()))
                .description(description)
                .tag("model", model.id())
                .register(registry));
    }

    /** They would show an engine that is gone. */
    @Override
    public void close() {
        meters.forEach(registry::remove);
    }
}

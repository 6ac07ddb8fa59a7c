package dev.meridian.node;

import dev.meridian.engine.EngineStats;
import dev.meridian.engine.LoadedModel;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.function.ToDoubleFunction;

/** What an engine says of itself, for {@code /metrics}. */
final class EngineMetrics {
    private EngineMetrics() {}

    static void register(MeterRegistry registry, LoadedModel model) {
        gauge(registry, model, "meridian.batch.size", "Sequences that decode together now", EngineStats::decoding);
        gauge(registry, model, "meridian.queue.length", "Sequences that wait for a slot", EngineStats::waiting);
        gauge(registry, model, "meridian.kv.bytes", "Native bytes of KV caches in use", EngineStats::kvBytes);
        Gauge.builder("meridian.kv.budget.bytes", model, m -> m.memory().kvBudgetBytes())
                .description("Native bytes that KV caches may use")
                .tag("model", model.id())
                .register(registry);
        counter(registry, model, "meridian.engine.steps", "Engine steps", EngineStats::step);
        counter(registry, model, "meridian.engine.prefill.tokens", "Prompt tokens run", EngineStats::prefillTokens);
        counter(registry, model, "meridian.engine.decode.tokens", "Tokens generated", EngineStats::decodeTokens);
        counter(
                registry,
                model,
                "meridian.engine.preemptions",
                "Sequences that gave their slot up for lack of KV memory",
                EngineStats::preemptions);
    }

    private static void gauge(
            MeterRegistry registry,
            LoadedModel model,
            String name,
            String description,
            ToDoubleFunction<EngineStats> value) {
        Gauge.builder(name, model, m -> value.applyAsDouble(m.stats()))
                .description(description)
                .tag("model", model.id())
                .register(registry);
    }

    private static void counter(
            MeterRegistry registry,
            LoadedModel model,
            String name,
            String description,
            ToDoubleFunction<EngineStats> value) {
        FunctionCounter.builder(name, model, m -> value.applyAsDouble(m.stats()))
                .description(description)
                .tag("model", model.id())
                .register(registry);
    }
}

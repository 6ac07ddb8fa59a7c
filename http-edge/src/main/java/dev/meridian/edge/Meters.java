package dev.meridian.edge;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.function.Supplier;

/**
 * Where meters go, and what {@code /metrics} shows: of this edge, and of whatever else shares the registry.
 *
 * @param shown the text of Prometheus; called on any thread
 */
public record Meters(MeterRegistry registry, Supplier<String> shown) {
    /** A registry of its own. */
    public static Meters create() {
        return of(new PrometheusMeterRegistry(PrometheusConfig.DEFAULT));
    }

    public static Meters of(PrometheusMeterRegistry registry) {
        return new Meters(registry, registry::scrape);
    }
}

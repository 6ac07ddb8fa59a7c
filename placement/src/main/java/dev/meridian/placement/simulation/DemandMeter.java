package dev.meridian.placement.simulation;

import dev.meridian.protocol.cluster.ModelDemand;
import java.util.LinkedHashSet;
import java.util.Set;

/** What the users of one region ask of one model, as an edge counts it; {@link ModelDemand} says what each figure means. */
final class DemandMeter {
    /** Requests that wait for a load, the first one first. */
    final Set<Request> waiting = new LinkedHashSet<>();

    private final String model;
    private final DecayingAverage requests;
    private final DecayingAverage tokens;
    private final DecayingAverage streams;
    private int decoding;
    private long lastUsed;

    DemandMeter(String model, long halfLifeMicros, long loadHalfLifeMicros) {
        this.model = model;
        requests = new DecayingAverage(halfLifeMicros);
        tokens = new DecayingAverage(loadHalfLifeMicros);
        streams = new DecayingAverage(loadHalfLifeMicros);
    }

    void arrived(long now) {
        requests.count(now, 1);
        streams.raise(now, 1);
        lastUsed = now;
    }

    /** The first token of a stream, or of its continuation, and the begin of those that follow. */
    void decodes(long now, double tokensPerSecond) {
        tokens.count(now, 1);
        tokens.raise(now, tokensPerSecond);
        decoding++;
        lastUsed = now;
    }

    void pauses(long now, double tokensPerSecond) {
        tokens.raise(now, -tokensPerSecond);
        decoding--;
        lastUsed = now;
    }

    void ended(long now) {
        streams.raise(now, -1);
    }

    ModelDemand demand(long now) {
        // What rounding leaves of many raised and lowered levels is no demand.
        return new ModelDemand(
                model,
                Math.max(0, requests.at(now)),
                Math.max(0, tokens.at(now)),
                Math.max(0, streams.at(now)),
                waiting.size(),
                waiting.isEmpty() ? 0 : (now - waiting.iterator().next().waitingSince) / Moments.MILLI,
                decoding > 0 ? 0 : (now - lastUsed) / Moments.MILLI);
    }
}

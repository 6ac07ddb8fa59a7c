package dev.meridian.edge.stream;

import dev.meridian.protocol.Refusal;
import dev.meridian.protocol.cluster.Residency;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Where this edge sent its last {@value #MAX_REQUESTS} requests, and why, for operators who ask. In memory alone: what came over
 * another edge, or before this one was started, is not here. It holds no word of a request, and nothing of its key. Written by
 * the mux, read from any thread.
 */
public final class RoutingJournal {
    public static final int MAX_REQUESTS = 4096;

    /** Of one request: the first one and the newest. */
    public static final int MAX_DECISIONS = 32;

    private final String region;
    private final InstantSource clock;
    private final Map<String, Kept> requests = new LinkedHashMap<>();

    /** @param region where this edge is */
    public RoutingJournal(String region, InstantSource clock) {
        this.region = region;
        this.clock = clock;
    }

    private static final class Kept {
        final String model;
        final Residency residency;
        final List<Decision> decisions = new ArrayList<>();

        Kept(String model, Residency residency) {
            this.model = model;
            this.residency = residency;
        }
    }

    /**
     * Where an attempt went.
     *
     * @param attempt its number; 0 while there was nowhere to go
     * @param servedBy region, node and replica; empty where that is not known
     * @param why for a person to read
     */
    public record Decision(long atEpochMillis, int attempt, String servedBy, String why) {}

    /**
     * What is known of a request.
     *
     * @param residency that its model and its key together gave it
     * @param decisions the oldest first
     */
    public record Routing(String request, String model, Residency residency, List<Decision> decisions) {
        public Routing {
            decisions = List.copyOf(decisions);
        }
    }

    /** Of a request of late. */
    public synchronized Optional<Routing> find(String request) {
        return Optional.ofNullable(requests.get(request))
                .map(kept -> new Routing(request, kept.model, kept.residency, kept.decisions));
    }

    /** Nothing that may serve it is loaded. */
    void waits(StreamRequest request) {
        add(request, 0, null, "nothing that may serve it is loaded");
    }

    /** Its first attempt, after it has waited for a load so long; negative where it has not. */
    void starts(StreamRequest request, int attempt, ResidencyGate.Passage passage, long waitedMillis) {
        String place = passage.servedBy() == null ? "" : near(passage.servedBy());
        add(
                request,
                attempt,
                passage,
                waitedMillis < 0 ? place : "waited " + waitedMillis + " ms for a load; " + place);
    }

    private String near(String servedBy) {
        String there = servedBy.substring(0, Math.max(0, servedBy.indexOf('/')));
        return there.equals(region)
                ? "a replica of the edge's own region, " + region
                : "no replica in the edge's region, " + region + ", that may serve it: " + there + " is the nearest";
    }

    /** Its next attempt, because of how the last one ended. */
    void goesOn(StreamRequest request, int attempt, ResidencyGate.Passage passage, AttemptEnd end) {
        add(request, attempt, passage, said(end));
    }

    private static String said(AttemptEnd end) {
        return switch (end) {
            case AttemptEnd.Refused(Refusal reason) ->
                "the replica before refused it: " + reason.getClass().getSimpleName();
            case AttemptEnd.Unanswered _ -> "the replica before did not answer";
            case AttemptEnd.Silent _ -> "the replica before fell silent";
            case AttemptEnd.Stuck _ -> "the engine of the replica before stood still";
            case AttemptEnd.Gaps _ -> "tokens of the replica before got lost";
            case AttemptEnd.ReplicaDied _ -> "the replica before is gone";
            case AttemptEnd.HandedOver _ -> "the replica before handed it over, as it is about to go";
        };
    }

    private synchronized void add(
            StreamRequest request, int attempt, ResidencyGate.@Nullable Passage passage, String why) {
        if (request.probe()) {
            return;
        }
        Kept kept = requests.computeIfAbsent(request.id(), _ -> new Kept(request.model(), request.residency()));
        if (kept.decisions.size() == MAX_DECISIONS) {
            kept.decisions.remove(1);
        }
        String servedBy = passage == null || passage.servedBy() == null ? "" : passage.servedBy();
        kept.decisions.add(new Decision(clock.millis(), attempt, servedBy, why));
        if (requests.size() > MAX_REQUESTS) {
            requests.remove(requests.keySet().iterator().next());
        }
    }

    /** Who took an attempt, where sharding has found another host than the one that was thought of. */
    synchronized void accepted(String request, int attempt, String servedBy) {
        Kept kept = requests.get(request);
        if (kept != null && !servedBy.isEmpty()) {
            kept.decisions.replaceAll(decision -> decision.attempt() == attempt
                    ? new Decision(decision.atEpochMillis(), attempt, servedBy, decision.why())
                    : decision);
        }
    }
}

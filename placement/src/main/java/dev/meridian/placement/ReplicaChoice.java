package dev.meridian.placement;

import dev.meridian.placement.ClusterView.Candidate;
import dev.meridian.protocol.cluster.ReplicaState;
import dev.meridian.protocol.cluster.Residency;
import dev.meridian.protocol.message.ReplicaCommand;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.random.RandomGenerator;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * Chooses the replica for an attempt: of nodes that are heard, those of the edge's own region before others, the nearest of
 * other regions; then of two that are drawn (power of two choices, Mitzenmacher 2001) the one that promises the earlier first
 * token: the product of its recent first-token time and its streams, one more than it has; where one of these times is not
 * known, the less busy one.
 *
 * <p>Where no node is heard, one that is silent for a moment is tried: a machine that is busy is late with its statuses, too.
 *
 * @param region the edge's own
 * @param silenceNanos a node that was silent for longer is tried only where no other is heard
 * @param lostNanos a node that was silent for longer is not tried
 */
public record ReplicaChoice(String region, long silenceNanos, long lostNanos) {
    /**
     * Chooses.
     *
     * @param residency a node elsewhere does not come into question
     * @param times of first tokens
     * @param but where the last attempt went: given back only where there is no other, and it is heard
     */
    public Optional<Candidate> choose(
            ClusterView view,
            String model,
            Residency residency,
            FirstTokenTimes times,
            @Nullable ActorRef<ReplicaCommand> but,
            long nowNanos,
            RandomGenerator random) {
        List<Candidate> heard = new ArrayList<>();
        List<Candidate> late = new ArrayList<>();
        Candidate same = null;
        for (Candidate candidate : view.candidates(model)) {
            long silent = candidate.node().silentNanos(nowNanos);
            boolean isBut = but != null && but.equals(candidate.replica().host());
            if (!residency.allows(regionOf(candidate))
                    || candidate.node().status().leaving()
                    || silent > lostNanos) {
                continue;
            }
            if (isBut) {
                same = silent <= silenceNanos ? candidate : null;
            } else {
                (silent <= silenceNanos ? heard : late).add(candidate);
            }
        }
        List<Candidate> usable = heard.isEmpty() ? late : heard;
        if ((same != null && heard.isEmpty()) || usable.isEmpty()) {
            return Optional.ofNullable(same);
        }
        List<Candidate> best = best(usable);
        Candidate one = best.get(random.nextInt(best.size()));
        Candidate other = best.get(random.nextInt(best.size()));
        return Optional.of(isWorse(one, other, times) ? other : one);
    }

    /** Those that no other is preferred to. */
    private List<Candidate> best(List<Candidate> usable) {
        Map<String, Long> distances = new HashMap<>();
        usable.forEach(candidate -> distances.merge(regionOf(candidate), distance(candidate), Math::min));
        Comparator<Candidate> order = Comparator.comparingLong(
                        (Candidate candidate) -> distances.getOrDefault(regionOf(candidate), Long.MAX_VALUE))
                .thenComparing(ReplicaChoice::regionOf)
                .thenComparing(candidate -> candidate.replica().state() != ReplicaState.READY);
        Candidate first = usable.stream().min(order).orElseThrow();
        return usable.stream()
                .filter(candidate -> order.compare(candidate, first) == 0)
                .toList();
    }

    private static String regionOf(Candidate candidate) {
        return candidate.node().status().region();
    }

    /** Of the own region before any other; of one that is not known behind all. */
    private long distance(Candidate candidate) {
        if (regionOf(candidate).equals(region)) {
            return -1;
        }
        long rtt = candidate.node().rttMicros();
        return rtt == NodeView.NO_RTT ? Long.MAX_VALUE : rtt;
    }

    private static boolean isWorse(Candidate one, Candidate other, FirstTokenTimes times) {
        OptionalDouble time = time(one, times);
        OptionalDouble otherTime = time(other, times);
        if (time.isEmpty() || otherTime.isEmpty()) {
            return load(one) > load(other);
        }
        double promise = time.getAsDouble() * (load(one) + 1);
        return promise > otherTime.getAsDouble() * (load(other) + 1);
    }

    private static OptionalDouble time(Candidate candidate, FirstTokenTimes times) {
        ActorRef<ReplicaCommand> host = candidate.replica().host();
        return host == null ? OptionalDouble.empty() : times.of(host);
    }

    private static int load(Candidate candidate) {
        return candidate.replica().queueDepth() + candidate.replica().runningSequences();
    }
}

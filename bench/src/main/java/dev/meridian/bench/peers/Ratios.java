package dev.meridian.bench.peers;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToLongFunction;

/**
 * Meridian over the best peer of the run. Of speeds and times the median over the rounds of both figures' ratio in one round,
 * against each peer, of which the least good for Meridian counts.
 */
final class Ratios {
    private static final List<String> OWN =
            List.of(PeersBench.KERNELS, PeersBench.STOCK, PeersBench.HTTP, PeersBench.LOOKUP);

    private final Rounds rounds;
    private final Map<String, Double> ratios = new LinkedHashMap<>();

    private Ratios(Rounds rounds) {
        this.rounds = rounds;
    }

    /**
     * By key; those of which one side was not measured are missing.
     *
     * @param ours Meridian's name among the contenders
     */
    static Map<String, Double> of(Rounds rounds, Map<String, Contender.Resident> resident, String ours) {
        Ratios all = new Ratios(rounds);
        for (Task task : Task.values()) {
            all.againstPeers(task.key(), ours, task);
        }
        all.againstPeers("lookup1", PeersBench.LOOKUP, Task.DECODE_1);
        memory(resident, ours, Contender.Resident::bytes).ifPresent(ratio -> all.ratios.put("rss", ratio));
        memory(resident, ours, Contender.Resident::ownBytes).ifPresent(ratio -> all.ratios.put("rssFurther", ratio));
        all.own("http1", PeersBench.HTTP, ours, Task.DECODE_1);
        all.own("http8", PeersBench.HTTP, ours, Task.DECODE_8);
        all.own("http16", PeersBench.HTTP, ours, Task.DECODE_16);
        return all.ratios;
    }

    private void againstPeers(String key, String ours, Task task) {
        List<Double> each = new ArrayList<>();
        for (String contender : rounds.contenders()) {
            if (!OWN.contains(contender)) {
                paired(ours, contender, task).ifPresent(each::add);
            }
        }
        each.stream().reduce(task.isRate() ? Math::min : Math::max).ifPresent(ratio -> ratios.put(key, ratio));
    }

    private void own(String key, String one, String other, Task task) {
        paired(one, other, task).ifPresent(ratio -> ratios.put(key, ratio));
    }

    private Optional<Double> paired(String one, String other, Task task) {
        List<Double> ours = rounds.of(one, task);
        List<Double> theirs = rounds.of(other, task);
        List<Double> each = new ArrayList<>();
        for (int round = 0; round < Math.min(ours.size(), theirs.size()); round++) {
            each.add(ours.get(round) / theirs.get(round));
        }
        return each.isEmpty() ? Optional.empty() : Optional.of(Rounds.median(each));
    }

    private static Optional<Double> memory(
            Map<String, Contender.Resident> resident, String ours, ToLongFunction<Contender.Resident> bytes) {
        Contender.Resident own = resident.get(ours);
        return own == null
                ? Optional.empty()
                : resident.entrySet().stream()
                        .filter(entry -> !OWN.contains(entry.getKey()))
                        .map(entry -> (double) bytes.applyAsLong(own) / bytes.applyAsLong(entry.getValue()))
                        .reduce(Math::max);
    }
}

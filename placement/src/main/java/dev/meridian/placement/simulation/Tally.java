package dev.meridian.placement.simulation;

import dev.meridian.placement.simulation.Outcome.RegionOutcome;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Counts what happens. */
final class Tally {
    private static final double MICROS_PER_HOUR = 3600.0 * Moments.SECOND;

    private final List<Region> regions = new ArrayList<>();
    private final long endMicros;
    private long loads;
    private long loadedBytes;
    private long unloads;
    private long heldBytes;
    private long heldSince;
    private double heldByteMicros;

    /** Of its users. */
    private static final class Region {
        final String name;
        long requests;
        long served;
        long failed;
        long coldHits;
        long[] firstTokens = new long[1024];
        int firstTokenCount;

        Region(String name) {
            this.name = name;
        }

        /** By nearest rank. */
        RegionOutcome outcome() {
            long[] sorted = Arrays.copyOf(firstTokens, firstTokenCount);
            Arrays.sort(sorted);
            return new RegionOutcome(name, requests, served, failed, coldHits, at(sorted, 0.5), at(sorted, 0.99));
        }

        private static long at(long[] sorted, double share) {
            return sorted.length == 0
                    ? Outcome.NONE
                    : sorted[Math.clamp((long) Math.ceil(share * sorted.length) - 1, 0, sorted.length - 1)];
        }
    }

    Tally(Scenario scenario) {
        endMicros = Moments.micros(scenario.duration());
        scenario.regions().forEach(region -> regions.add(new Region(region.name())));
    }

    void arrived(Request request) {
        regions.get(request.region).requests++;
    }

    void coldHit(Request request) {
        regions.get(request.region).coldHits++;
    }

    void firstToken(Request request, long at) {
        Region region = regions.get(request.region);
        if (region.firstTokenCount == region.firstTokens.length) {
            region.firstTokens = Arrays.copyOf(region.firstTokens, 2 * region.firstTokenCount);
        }
        region.firstTokens[region.firstTokenCount++] = at - request.arrivedAt;
    }

    void ended(Request request) {
        if (request.state == Request.State.SERVED) {
            regions.get(request.region).served++;
        } else {
            regions.get(request.region).failed++;
        }
    }

    void loads(long bytes) {
        loads++;
        loadedBytes += bytes;
    }

    void unloads() {
        unloads++;
    }

    /** From now on so many bytes more are held. */
    void holds(long now, long bytes) {
        long until = Math.min(now, endMicros);
        heldByteMicros += (double) heldBytes * (until - heldSince);
        heldSince = until;
        heldBytes += bytes;
    }

    Outcome outcome(String policy, Timeline timeline) {
        holds(endMicros, 0);
        List<RegionOutcome> all = regions.stream().map(Region::outcome).toList();
        return new Outcome(
                policy,
                all.stream().mapToLong(RegionOutcome::requests).sum(),
                all.stream().mapToLong(RegionOutcome::served).sum(),
                all.stream().mapToLong(RegionOutcome::failed).sum(),
                all.stream().mapToLong(RegionOutcome::coldHits).sum(),
                loads,
                unloads,
                loadedBytes,
                heldByteMicros / MICROS_PER_HOUR,
                all,
                timeline);
    }
}

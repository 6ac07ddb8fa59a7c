package dev.meridian.bench.peers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

import dev.meridian.bench.peers.Contender.Resident;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RatiosTest {
    private final Rounds rounds = new Rounds();

    private void measured(String contender, Task task, double... figures) {
        for (double figure : figures) {
            rounds.add(contender, task, figure);
        }
    }

    @Test
    void thePeerThatIsLeastGoodForMeridianCountsRoundByRound() {
        measured(PeersBench.KERNELS, Task.DECODE_8, 300, 200, 100);
        measured("slow", Task.DECODE_8, 100, 100, 100);
        // Its medians would give 200 / 100; the rounds' own ratios are 2, 1 and 1.
        measured("fast", Task.DECODE_8, 150, 200, 100);
        measured(PeersBench.STOCK, Task.DECODE_8, 1_000, 1_000, 1_000);

        assertThat(Ratios.of(rounds, Map.of(), PeersBench.KERNELS)).containsExactly(entry("decode8", 1.0));
    }

    @Test
    void ofTimesTheFasterPeerCounts() {
        measured(PeersBench.KERNELS, Task.LOAD, 10);
        measured("slow", Task.LOAD, 1_000);
        measured("fast", Task.LOAD, 100);

        assertThat(Ratios.of(rounds, Map.of(), PeersBench.KERNELS)).containsExactly(entry("load", 0.1));
    }

    @Test
    void memoryIsComparedWithThePeerThatNeedsLeast() {
        Map<String, Resident> resident = Map.of(
                PeersBench.KERNELS,
                new Resident(300, 30, 0),
                PeersBench.STOCK,
                new Resident(1, 1, 0),
                "small",
                new Resident(600, 60, 7),
                "large",
                new Resident(900, 900, 7));

        assertThat(Ratios.of(rounds, resident, PeersBench.KERNELS))
                .containsOnly(entry("rss", 0.5), entry("rssFurther", 0.5));
    }

    @Test
    void httpIsComparedWithTheBareEngineAndLookUpWithPeers() {
        measured(PeersBench.KERNELS, Task.DECODE_1, 100);
        measured(PeersBench.HTTP, Task.DECODE_1, 95);
        measured(PeersBench.LOOKUP, Task.DECODE_1, 240);
        measured("peer", Task.DECODE_1, 80);

        assertThat(Ratios.of(rounds, Map.of(), PeersBench.KERNELS))
                .containsOnly(entry("decode1", 1.25), entry("lookup1", 3.0), entry("http1", 0.95));
    }
}

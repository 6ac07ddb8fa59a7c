package dev.meridian.processes;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Streams that run at the same time, while something happens to the cluster. */
final class ScriptedStreams {
    static final int USUAL = 50;

    private final ClusterOfProcesses cluster;
    private final List<ScriptedStream> streams = new ArrayList<>();

    private ScriptedStreams(ClusterOfProcesses cluster) {
        this.cluster = cluster;
    }

    /** {@link #USUAL} streams that enter at the nodes in turn, once all of them flow. */
    static ScriptedStreams flow(ClusterOfProcesses cluster, int tokens, String... edges) throws Exception {
        return flow(cluster, USUAL, tokens, edges);
    }

    static ScriptedStreams flow(ClusterOfProcesses cluster, int count, int tokens, String... edges) throws Exception {
        ScriptedStreams all = new ScriptedStreams(cluster);
        for (int i = 0; i < count; i++) {
            all.streams.add(cluster.stream(edges[i % edges.length], 3 + 17 * i, tokens));
        }
        cluster.await(
                "all streams to flow",
                () -> all.streams.stream().allMatch(stream -> stream.received() > 10 || stream.hasEnded()));
        return all;
    }

    long ended() {
        return streams.stream().filter(ScriptedStream::hasEnded).count();
    }

    /** What was wrong with each of them, empty where nothing was; waits for their ends. */
    List<String> ends() {
        return streams.stream().map(ScriptedStream::fault).toList();
    }

    /** Waits for their ends, and prints how long they stood still. */
    void assertWhole(String what) {
        List<String> faults = ends().stream().filter(fault -> !fault.isEmpty()).toList();
        double[] gaps = streams.stream()
                .mapToDouble(ScriptedStream::longestGapMillis)
                .sorted()
                .toArray();
        System.out.printf(
                "%s: longest gaps of %d streams: median %.0f ms, largest %.0f ms%n",
                what, gaps.length, gaps[gaps.length / 2], gaps[gaps.length - 1]);
        assertThat(faults)
                .as(() -> what + " " + Arrays.toString(gaps) + "\n" + cluster.state())
                .isEmpty();
    }
}

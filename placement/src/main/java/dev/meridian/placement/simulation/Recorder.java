package dev.meridian.placement.simulation;

import dev.meridian.placement.simulation.Timeline.Down;
import dev.meridian.placement.simulation.Timeline.RegionLine;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/** Looks at the world in the middle of each step, for the timeline. */
final class Recorder {
    /** As many as a picture can show. */
    private static final int STEPS = 240;

    private static final int MODELS = 6;

    private final World world;
    private final long stepMicros;
    private final List<String> models;
    private final int[] rows;
    private final long[][] requests;
    private final int[][][] replicas;
    private final List<Down> downs = new ArrayList<>();
    private int step;

    Recorder(World world) {
        this.world = world;
        long duration = Moments.micros(world.scenario.duration());
        stepMicros = Math.max(1, Math.ceilDiv(duration, STEPS));
        int count = world.scenario.models().size();
        int[] shown = IntStream.range(0, count)
                .boxed()
                .sorted(Comparator.comparingDouble(
                        (Integer model) -> -world.model(model).weight()))
                .limit(MODELS)
                .mapToInt(model -> model)
                .toArray();
        models = Arrays.stream(shown)
                .mapToObj(model -> world.model(model).name())
                .toList();
        rows = new int[count];
        Arrays.fill(rows, shown.length);
        for (int row = 0; row < shown.length; row++) {
            rows[shown[row]] = row;
        }
        int regions = world.scenario.regions().size();
        requests = new long[regions][STEPS];
        replicas = new int[regions][shown.length + 1][STEPS];
    }

    /** Nothing changes any more before that time. */
    void until(long micros) {
        while (step < STEPS && step * stepMicros + stepMicros / 2 <= micros) {
            for (Node node : world.nodes) {
                for (Replica replica : node.replicas.values()) {
                    if (replica.holdsMemory()) {
                        replicas[node.region][rows[replica.model]][step]++;
                    }
                }
            }
            step++;
        }
    }

    void arrived(Request request) {
        requests[request.region][(int) (request.arrivedAt / stepMicros)]++;
    }

    void down(Node node, long from, long to) {
        String region = world.scenario.regions().get(node.region).name();
        downs.add(new Down(region, node.spec.name(), from, to));
    }

    Timeline timeline() {
        until(Moments.micros(world.scenario.duration()));
        List<RegionLine> lines = new ArrayList<>();
        for (int i = 0; i < requests.length; i++) {
            lines.add(new RegionLine(
                    world.scenario.regions().get(i).name(),
                    Arrays.stream(requests[i]).boxed().toList(),
                    Arrays.stream(replicas[i])
                            .map(row -> Arrays.stream(row).boxed().toList())
                            .toList()));
        }
        return new Timeline(stepMicros, models, lines, downs);
    }
}

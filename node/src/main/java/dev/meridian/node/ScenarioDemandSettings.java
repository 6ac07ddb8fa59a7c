package dev.meridian.node;

import com.typesafe.config.ConfigObject;
import dev.meridian.placement.simulation.DemandSource;
import dev.meridian.placement.simulation.DemandSource.Arrivals;
import dev.meridian.placement.simulation.Lengths;
import dev.meridian.placement.simulation.Trace;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The entries of a scenario's {@code demand}. */
final class ScenarioDemandSettings {
    private final ScenarioFileSettings files;
    private final Map<String, Trace> traces = new HashMap<>();

    ScenarioDemandSettings(ScenarioFileSettings files) {
        this.files = files;
    }

    /**
     * Reads one entry.
     *
     * @param regions that there are
     * @param models by the name in the scenario, which may stand for several
     */
    DemandSource source(BlockSettings block, List<String> regions, Map<String, List<String>> models) {
        String region = block.text("region");
        if (!regions.contains(region)) {
            throw block.refuse("region", "there is no region '" + region + "', but " + regions);
        }
        List<String> asked = block.texts("models").stream()
                .flatMap(name -> {
                    List<String> named = models.get(name);
                    if (named == null) {
                        throw block.refuse("models", "there is no model '" + name + "', but " + models.keySet());
                    }
                    return named.stream();
                })
                .toList();
        return new DemandSource(
                region, arrivals(block), asked, lengths(block, "prompt-tokens"), lengths(block, "output-tokens"));
    }

    private Arrivals arrivals(BlockSettings block) {
        boolean replays = block.says("trace-file");
        if (replays && (block.says("requests-per-second") || block.says("wave"))) {
            throw block.refuse("trace-file", "a trace has its own rate; expected no requests-per-second and no wave");
        }
        if (!replays && block.says("speed")) {
            throw block.refuse("speed", "is for a trace-file");
        }
        if (replays) {
            Trace trace = traces.computeIfAbsent(
                    block.text("trace-file"), _ -> files.read(block, "trace-file", Trace::parse));
            return block.make(() -> new DemandSource.Replay(trace, block.number("speed")));
        }
        double rate = block.number("requests-per-second");
        if (!block.says("wave")) {
            return block.make(() -> new DemandSource.Constant(rate));
        }
        BlockSettings wave = inner(block, "wave");
        return wave.make(
                () -> new DemandSource.Wave(rate, wave.number("amplitude"), wave.time("period"), wave.time("peak-at")));
    }

    private static Lengths lengths(BlockSettings block, String key) {
        BlockSettings lengths = inner(block, key);
        return lengths.make(
                () -> new Lengths(lengths.number("median"), lengths.number("sigma"), lengths.count("most")));
    }

    private static BlockSettings inner(BlockSettings block, String key) {
        ConfigObject usual = ScenarioSettings.entry("demand").toConfig().getObject(key);
        return block.block(key, usual);
    }
}

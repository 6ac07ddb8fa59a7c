package dev.meridian.node;

import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigParseOptions;
import dev.meridian.placement.simulation.DemandSource;
import dev.meridian.placement.simulation.RoundTrips;
import dev.meridian.placement.simulation.Scenario;
import dev.meridian.protocol.cluster.Residency;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/**
 * A scenario of the simulator, read from HOCON; meridian-scenario.conf has the defaults.
 *
 * @param policies that it compares
 */
record ScenarioSettings(Scenario scenario, List<String> policies) {
    private static final ConfigObject DEFAULTS =
            ConfigFactory.parseResources("meridian-scenario.conf").root();
    private static final int MOST_ENTRIES = 100_000;

    ScenarioSettings {
        policies = List.copyOf(policies);
    }

    /** The defaults of an entry of one of the lists. */
    static ConfigObject entry(String list) {
        return DEFAULTS.toConfig().getObject("entry." + list);
    }

    /**
     * Reads a file.
     *
     * @throws CommandFailed naming file, line and reason
     */
    static ScenarioSettings load(Path file) {
        try {
            ConfigObject said = ConfigFactory.parseFile(
                            file.toFile(), ConfigParseOptions.defaults().setAllowMissing(false))
                    .resolve()
                    .root();
            return read(BlockSettings.of("", said, DEFAULTS.withoutKey("entry")), file);
        } catch (ConfigException.IO e) {
            throw new CommandFailed(file + ": " + NodeSettings.unreadable(file, e), e);
        } catch (ConfigException e) {
            throw new CommandFailed("scenario: " + e.getMessage(), e);
        }
    }

    private static ScenarioSettings read(BlockSettings root, Path file) {
        Path folder = file.toAbsolutePath().getParent();
        ScenarioFileSettings files = new ScenarioFileSettings(folder == null ? file : folder);
        List<BlockSettings> regionBlocks = root.blocks("regions", entry("regions"));
        List<Scenario.Region> regions =
                regionBlocks.stream().map(ScenarioSettings::region).toList();
        List<String> names = regions.stream().map(Scenario.Region::name).toList();
        Map<String, List<Scenario.Model>> models = models(root, names);
        Map<String, List<String>> modelNames = new TreeMap<>();
        models.forEach((name, all) ->
                modelNames.put(name, all.stream().map(Scenario.Model::name).toList()));
        ScenarioDemandSettings demandSettings = new ScenarioDemandSettings(files);
        List<DemandSource> demand = root.blocks("demand", entry("demand")).stream()
                .map(block -> demandSettings.source(block, names, modelNames))
                .toList();
        RoundTrips rtts = roundTrips(root, files, regionBlocks, names);
        Scenario scenario = root.make(() -> new Scenario(
                root.time("duration"),
                BlockSettings.timeOfDay(root.text("starts-at")),
                regions,
                rtts,
                models.values().stream().flatMap(List::stream).toList(),
                demand,
                outages(root, regions),
                timing(root),
                ScenarioPolicySettings.from(root, DEFAULTS.toConfig().getObject("placement"))));
        return new ScenarioSettings(scenario, root.texts("policies"));
    }

    private static Scenario.Region region(BlockSettings block) {
        String name = block.text("name");
        int count = count(block, "nodes");
        return block.make(() -> {
            List<Scenario.Node> nodes = new ArrayList<>();
            for (int i = 1; i <= count; i++) {
                nodes.add(new Scenario.Node(
                        numbered(name, i, count),
                        block.bytes("budget"),
                        block.bytes("load-bytes-per-second"),
                        block.time("load-overhead")));
            }
            return new Scenario.Region(name, nodes, block.time("mean-uptime"), block.time("mean-repair"));
        });
    }

    private static int count(BlockSettings block, String key) {
        int count = block.count(key);
        if (count < 1 || count > MOST_ENTRIES) {
            throw block.refuse(key, count + ": expected 1 to " + MOST_ENTRIES);
        }
        return count;
    }

    /** As many digits as the last one needs, so that they stay in order. */
    private static String numbered(String name, int number, int count) {
        int digits = Integer.toString(count).length();
        return name + "-" + "0".repeat(digits - Integer.toString(number).length()) + number;
    }

    /** By the name in the scenario, in its order of names. */
    private static Map<String, List<Scenario.Model>> models(BlockSettings root, List<String> regions) {
        Map<String, List<Scenario.Model>> models = new TreeMap<>();
        for (BlockSettings block : root.blocks("models", entry("models"))) {
            for (String region : block.texts("regions")) {
                if (!regions.contains(region)) {
                    throw block.refuse("regions", "there is no region '" + region + "', but " + regions);
                }
            }
            if (models.put(block.text("name"), block.make(() -> models(block))) != null) {
                throw block.refuse("name", "two models are called '" + block.text("name") + "'");
            }
        }
        return models;
    }

    private static List<Scenario.Model> models(BlockSettings block) {
        int count = count(block, "count");
        double zipf = block.number("zipf");
        if (!(zipf >= 0 && zipf <= 10)) {
            throw block.refuse("zipf", zipf + ": expected 0 to 10");
        }
        double sum = 0;
        for (int i = 1; i <= count; i++) {
            sum += StrictMath.pow(i, -zipf);
        }
        List<String> regions = block.texts("regions");
        List<Scenario.Model> models = new ArrayList<>();
        for (int i = 1; i <= count; i++) {
            models.add(new Scenario.Model(
                    count == 1 ? block.text("name") : numbered(block.text("name"), i, count),
                    block.bytes("bytes"),
                    block.number("tokens-per-second"),
                    block.time("first-token"),
                    block.time("prefill-per-token"),
                    block.count("slots"),
                    block.number("weight") * StrictMath.pow(i, -zipf) / sum,
                    regions.isEmpty() ? Residency.ANYWHERE : Residency.in(regions)));
        }
        return models;
    }

    private static RoundTrips roundTrips(
            BlockSettings root, ScenarioFileSettings files, List<BlockSettings> regions, List<String> names) {
        ConfigObject said = root.all().getObject("rtt");
        if (root.says("rtt-file")) {
            if (!said.isEmpty()) {
                throw root.refuse("rtt-file", "expected either rtt or rtt-file");
            }
            Map<String, String> places = new TreeMap<>();
            regions.forEach(region ->
                    places.put(region.text("name"), region.says("place") ? region.text("place") : region.text("name")));
            return files.read(root, "rtt-file", lines -> RoundTrips.parse(lines, places));
        }
        BlockSettings all = known(root, "rtt", names);
        Map<String, Map<String, Long>> micros = new TreeMap<>();
        for (String from : said.keySet()) {
            BlockSettings row = known(all, from, names);
            Map<String, Long> times = new TreeMap<>();
            for (String to : row.said().keySet()) {
                times.put(to, micros(row, to));
            }
            micros.put(from, times);
        }
        return root.make(() -> new RoundTrips(micros));
    }

    /** A block whose keys are regions. */
    private static BlockSettings known(BlockSettings parent, String key, List<String> regions) {
        ConfigObject said = parent.all().getObject(key);
        Map<String, Object> keys = new TreeMap<>();
        regions.forEach(region -> keys.put(region, Map.of()));
        BlockSettings.of(key, said, ConfigFactory.parseMap(keys).root());
        return new BlockSettings(key, said, said.toConfig());
    }

    private static long micros(BlockSettings row, String to) {
        Duration time = row.time(to);
        if (time.isNegative()) {
            throw row.refuse(to, "expected no negative time");
        }
        return TimeUnit.MICROSECONDS.convert(time);
    }

    private static List<Scenario.Outage> outages(BlockSettings root, List<Scenario.Region> regions) {
        List<String> nodes = regions.stream()
                .flatMap(region -> region.nodes().stream())
                .map(Scenario.Node::name)
                .toList();
        List<Scenario.Outage> outages = new ArrayList<>();
        for (BlockSettings block : root.blocks("outages", entry("outages"))) {
            if (!nodes.contains(block.text("node"))) {
                throw block.refuse("node", "there is no node '" + block.text("node") + "'");
            }
            outages.add(
                    block.make(() -> new Scenario.Outage(block.text("node"), block.time("at"), block.time("lasts"))));
        }
        return outages;
    }

    private static Scenario.Timing timing(BlockSettings root) {
        return new Scenario.Timing(
                root.time("policy-interval"),
                root.time("calm-interval"),
                root.time("demand-half-life"),
                root.time("load-half-life"),
                root.time("request-timeout"),
                root.time("failover-after"),
                root.time("rehome-after"),
                root.time("lingers"));
    }
}

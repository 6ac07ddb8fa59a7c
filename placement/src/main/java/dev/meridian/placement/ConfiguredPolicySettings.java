package dev.meridian.placement;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigUtil;
import com.typesafe.config.ConfigValue;
import dev.meridian.placement.policy.ModelRules;
import dev.meridian.placement.policy.PolicySettings;
import java.time.LocalTime;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Reads a policy's settings from {@code meridian.placement}; see reference.conf. */
final class ConfiguredPolicySettings {
    private static final String PATH = "meridian.placement.";
    private static final String MIN_REPLICAS = "min-replicas";
    private static final Set<String> KEYS =
            Set.of(MIN_REPLICAS, "max-replicas", "streams-per-replica", "keep-warm", "idle-unload", "pre-warm-at");

    private ConfiguredPolicySettings() {}

    /** Throws ConfigException naming file, line and key. */
    static PolicySettings read(Config placement) {
        int replicas = placement.getInt("replicas");
        if (replicas < 0 || replicas > ModelRules.MOST_REPLICAS) {
            throw new ConfigException.BadValue(
                    placement.getValue("replicas").origin(),
                    PATH + "replicas",
                    replicas + ": expected 0 to " + ModelRules.MOST_REPLICAS);
        }
        Config defaults = placement.getConfig("defaults");
        Config fallback = defaults.withValue(MIN_REPLICAS, placement.getValue("replicas"));
        ModelRules common = rules(fallback, "defaults", placement.getValue("defaults"));
        Map<String, ModelRules> models = new TreeMap<>();
        Config all = placement.getConfig("models");
        for (Map.Entry<String, ConfigValue> model : all.root().entrySet()) {
            String path = "models." + model.getKey();
            Config own = all.getConfig(ConfigUtil.joinPath(model.getKey()));
            own.root().forEach((key, value) -> {
                if (!KEYS.contains(key)) {
                    throw new ConfigException.BadValue(
                            value.origin(),
                            PATH + path,
                            "there is no key '" + key + "'; a name with a dot needs quotation marks");
                }
            });
            models.put(model.getKey(), rules(own.withFallback(fallback), path, model.getValue()));
        }
        try {
            return new PolicySettings(
                    placement.getString("policy"),
                    placement.getDuration("min-residence"),
                    placement.getDouble("warm-above"),
                    placement.getDuration("patience"),
                    common,
                    models);
        } catch (IllegalArgumentException e) {
            throw new ConfigException.BadValue(
                    placement.getValue("policy").origin(), PATH + "policy", e.getMessage(), e);
        }
    }

    private static ModelRules rules(Config config, String path, ConfigValue said) {
        try {
            return new ModelRules(
                    config.getInt(MIN_REPLICAS),
                    config.getInt("max-replicas"),
                    config.getInt("streams-per-replica"),
                    config.getBoolean("keep-warm"),
                    config.getDuration("idle-unload"),
                    times(config.getStringList("pre-warm-at")));
        } catch (IllegalArgumentException e) {
            throw new ConfigException.BadValue(said.origin(), PATH + path, e.getMessage(), e);
        }
    }

    private static List<LocalTime> times(List<String> said) {
        List<LocalTime> times = new ArrayList<>();
        for (String time : said) {
            try {
                times.add(LocalTime.parse(time));
            } catch (DateTimeParseException e) {
                throw new IllegalArgumentException(
                        "pre-warm-at '" + time + "': expected a time of day such as 07:30", e);
            }
        }
        return times;
    }
}

package dev.meridian.node;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigUtil;
import com.typesafe.config.ConfigValueType;
import dev.meridian.protocol.cluster.Residency;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * {@code meridian.residency}; see reference.conf.
 *
 * @param models by model, where it may be held and its requests may go
 */
record ResidencySettings(Map<String, Residency> models) {
    private static final String MODELS = "meridian.residency.models";

    /** Its keys are names of models. */
    static final String FREE_KEYS = MODELS + ".";

    ResidencySettings {
        models = Map.copyOf(models);
    }

    /** Throws ConfigException naming file and line where a list is none, or has no region, or a name that can be none. */
    static ResidencySettings from(Config root) {
        Map<String, Residency> models = new TreeMap<>();
        Config all = root.getConfig(MODELS);
        all.root().forEach((model, said) -> {
            if (said.valueType() == ConfigValueType.OBJECT) {
                throw new ConfigException.BadValue(
                        said.origin(),
                        MODELS + "." + model,
                        "expected a list; a name with a dot needs quotation marks");
            }
            List<String> regions = all.getStringList(ConfigUtil.joinPath(model));
            if (regions.isEmpty()) {
                throw new ConfigException.BadValue(
                        said.origin(), MODELS + "." + model, "expected at least one region; leave it out for anywhere");
            }
            try {
                models.put(model, Residency.in(regions));
            } catch (IllegalArgumentException e) {
                throw new ConfigException.BadValue(said.origin(), MODELS + "." + model, e.getMessage(), e);
            }
        });
        return new ResidencySettings(models);
    }

    /** What is said of that model here. */
    Residency of(String model) {
        return models.getOrDefault(model, Residency.ANYWHERE);
    }
}

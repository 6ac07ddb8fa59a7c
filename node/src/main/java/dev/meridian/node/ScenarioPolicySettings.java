package dev.meridian.node;

import com.typesafe.config.ConfigObject;
import dev.meridian.placement.policy.ModelRules;
import dev.meridian.placement.policy.PolicySettings;
import java.util.Map;
import java.util.TreeMap;

/** A scenario's {@code placement} block: the policies' settings under the names that a node's configuration has for them. */
final class ScenarioPolicySettings {
    private ScenarioPolicySettings() {}

    static PolicySettings from(BlockSettings scenario, ConfigObject defaults) {
        BlockSettings placement = scenario.block("placement", defaults);
        ConfigObject usual = object(defaults, "defaults");
        BlockSettings all = placement.block("defaults", usual);
        ConfigObject allRules = all.all().root();
        ConfigObject ownRules = object(placement.all().root(), "models");
        BlockSettings models = new BlockSettings("placement.models", ownRules, ownRules.toConfig());
        Map<String, ModelRules> rules = new TreeMap<>();
        ownRules.keySet().forEach(name -> rules.put(name, rules(models.block(name, allRules))));
        return placement.make(() -> new PolicySettings(
                placement.text("policy"),
                placement.time("min-residence"),
                placement.number("warm-above"),
                placement.time("patience"),
                rules(all),
                rules));
    }

    private static ConfigObject object(ConfigObject parent, String key) {
        return parent.toConfig().getObject(key);
    }

    private static ModelRules rules(BlockSettings block) {
        return block.make(() -> new ModelRules(
                block.count("min-replicas"),
                block.count("max-replicas"),
                block.count("streams-per-replica"),
                block.flag("keep-warm"),
                block.time("idle-unload"),
                block.texts("pre-warm-at").stream()
                        .map(BlockSettings::timeOfDay)
                        .toList()));
    }
}

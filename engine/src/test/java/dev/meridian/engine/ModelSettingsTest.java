package dev.meridian.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.meridian.engine.ModelSettings.Kernels;
import dev.meridian.engine.kernels.KernelLibrary;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ModelSettingsTest {
    private static final Config DEFAULTS = ConfigFactory.defaultReference();
    private static final PrefixCaching CACHING = new PrefixCaching(true, 16, false);
    private static final Fairness FAIRNESS = new Fairness(2, 16, new PriorityWeights(16, 4, 1));

    @Test
    void defaultsAreThoseOfReferenceConf() {
        assertThat(ModelSettings.from(DEFAULTS, 10_000, 3))
                .isEqualTo(new ModelSettings(5_000, 16, 8192, 128, 160, 3, Kernels.AUTO, FAIRNESS, CACHING, 8));
        assertThat(DEFAULTS.getConfig("meridian.engine").root().keySet())
                .containsExactlyInAnyOrder(
                        "memory-budget",
                        "slots",
                        "context",
                        "prefill-chunk",
                        "step-stretch",
                        "queue-capacity",
                        "speculative-tokens",
                        "queue-reserve",
                        "weights",
                        "threads",
                        "kernels",
                        "prefix-cache",
                        "verify",
                        "verified-files");
        assertThat(DEFAULTS.getConfig("meridian.engine.prefix-cache").root().keySet())
                .containsExactlyInAnyOrder("enabled", "slots", "across-keys");
        assertThat(Fairness.unreserved()).isEqualTo(new Fairness(2, 0, FAIRNESS.weights()));
    }

    @Test
    void readsWhatAUserSays() {
        Config said = ConfigFactory.parseString(
                "meridian.engine { memory-budget = 2 GiB, slots = 4, context = 1024, threads = 1 }");
        assertThat(ModelSettings.from(said.withFallback(DEFAULTS), 10_000, 3))
                .isEqualTo(new ModelSettings(2L << 30, 4, 1024, 128, 160, 1, Kernels.AUTO, FAIRNESS, CACHING, 8));
    }

    @Test
    void theLibraryOfOperatorsIsUsedUnlessItIsOff() {
        assertThat(ModelSettings.from(DEFAULTS, 10_000, 3).kernels()).isEqualTo(Kernels.AUTO);
        Config off = ConfigFactory.parseString("meridian.engine.kernels = off");
        ModelSettings without = ModelSettings.from(off.withFallback(DEFAULTS), 10_000, 3);
        assertThat(without.kernels()).isEqualTo(Kernels.OFF);
        assertThat(without.runner().kernels()).isEmpty();
        assertThat(ModelSettings.from(DEFAULTS, 10_000, 3).runner().kernels())
                .isEqualTo(
                        KernelLibrary.ofProcess() instanceof KernelLibrary.Available it
                                ? Optional.of(it.file())
                                : Optional.empty());
        Config other = ConfigFactory.parseString("meridian.engine.kernels = fast");
        assertThatThrownBy(() -> ModelSettings.from(other.withFallback(DEFAULTS), 10_000, 3))
                .hasMessage("meridian.engine.kernels is 'fast', expected auto or off");
    }

    @Test
    void slotsForWhatIsKeptBelongToTheCache() {
        Config said = ConfigFactory.parseString(
                "meridian.engine.prefix-cache { enabled = true, slots = 5, across-keys = true }");
        ModelSettings shared = ModelSettings.from(said.withFallback(DEFAULTS), 10_000, 3);
        assertThat(shared.prefixCaching()).isEqualTo(new PrefixCaching(true, 5, true));
        assertThat(shared.runner().keptSlots()).isEqualTo(5);
        assertThat(shared.withMemoryBudget(7).prefixCaching()).isEqualTo(shared.prefixCaching());
        Config off = ConfigFactory.parseString("meridian.engine.prefix-cache.enabled = false");
        assertThat(ModelSettings.from(off.withFallback(DEFAULTS), 10_000, 3)
                        .runner()
                        .keptSlots())
                .isZero();
        Config many = ConfigFactory.parseString("meridian.engine.prefix-cache.slots = 1025");
        assertThatThrownBy(() -> ModelSettings.from(many.withFallback(DEFAULTS), 10_000, 3))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("meridian.engine.prefix-cache.slots 1025");
    }

    @Test
    void verifiesWhatChangedByARecordOrAlways() {
        Path standard = Path.of("standard");
        assertThat(BundleSettings.from(DEFAULTS, standard).record()).contains(standard);
        Config other = ConfigFactory.parseString("meridian.engine.verified-files = other");
        assertThat(BundleSettings.from(other.withFallback(DEFAULTS), standard).record())
                .contains(Path.of("other"));
        Config always = ConfigFactory.parseString("meridian.engine.verify = always");
        assertThat(BundleSettings.from(always.withFallback(DEFAULTS), standard).record())
                .isEmpty();
        Config never = ConfigFactory.parseString("meridian.engine.verify = never");
        assertThatThrownBy(() -> BundleSettings.from(never.withFallback(DEFAULTS), standard))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("meridian.engine.verify is 'never', expected changed or always");
    }

    @Test
    void namesWhatIsOutOfRange() {
        Config said = ConfigFactory.parseString("meridian.engine.slots = 0");
        assertThatThrownBy(() -> ModelSettings.from(said.withFallback(DEFAULTS), 10_000, 3))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("slots 0");
    }
}

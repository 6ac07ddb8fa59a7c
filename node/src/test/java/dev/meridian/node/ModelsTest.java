package dev.meridian.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.meridian.engine.bundle.Bundle;
import dev.meridian.engine.bundle.BundleException;
import dev.meridian.engine.bundle.BundleManifest;
import dev.meridian.engine.bundle.BundleManifest.MemoryNeed;
import dev.meridian.engine.bundle.BundleManifest.ModelShape;
import dev.meridian.engine.bundle.BundleManifest.SamplingDefaults;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelsTest {
    @TempDir
    private Path folder;

    private void bundle(String name) throws IOException {
        BundleManifest manifest = new BundleManifest(
                BundleManifest.FORMAT,
                "test",
                "llama",
                new ModelShape(2, 64, 64, 2, 2, 32, 100, 512),
                "f32",
                "f32",
                new MemoryNeed(1_000_000, 1024, 1000),
                null,
                List.of(1),
                SamplingDefaults.none(),
                "unknown",
                "00",
                Map.of());
        Path child = Files.createDirectory(folder.resolve(name));
        Files.write(child.resolve(BundleManifest.FILE_NAME), Bundle.manifestBytes(manifest));
    }

    @Test
    void findsBundlesAmongTheDirectChildrenOnly() throws IOException {
        bundle("b");
        bundle("a.1~x_y-z");
        Files.createDirectories(folder.resolve("source/checkpoint"));
        assertThat(Models.scan(folder)).extracting(Bundle::id).containsExactly("a.1~x_y-z", "b");
        assertThat(Models.find(folder, "b").id()).isEqualTo("b");
    }

    @Test
    void namesWhatIsNotThere() throws IOException {
        bundle("a");
        assertThatThrownBy(() -> Models.find(folder, "b"))
                .isInstanceOf(CommandFailed.class)
                .hasMessageContaining("no model 'b'")
                .hasMessageContaining("[a]");
        assertThatThrownBy(() -> Models.scan(folder.resolve("none")))
                .isInstanceOf(CommandFailed.class)
                .hasMessageContaining("no such folder");
    }

    @Test
    void refusesIdsThatCannotStandInAUrl() throws IOException {
        bundle("my model");
        assertThatThrownBy(() -> Models.scan(folder))
                .isInstanceOf(CommandFailed.class)
                .hasMessageContaining("my model")
                .hasMessageContaining("rename it");
    }

    @Test
    void refusesAModelThatDoesNotFitTheBudgetWithTheNumbers() throws IOException {
        bundle("a");
        NodeSettings settings =
                NodeSettings.load(null, Map.of("meridian.engine.memory-budget", 500_000, "meridian.engine.slots", 1));
        assertThatThrownBy(() -> Models.load(Models.scan(folder), settings.models()))
                .isInstanceOf(BundleException.class)
                .hasMessageContaining("does not fit")
                .hasMessageContaining("1000000");
    }

    @Test
    void nodeSettingsAreThoseOfReferenceConf() {
        NodeSettings settings = NodeSettings.load(null, Map.of());
        assertThat(settings.stopGrace()).isEqualTo(Duration.ofSeconds(10));
        assertThat(settings.edge().clientPort()).isEqualTo(8080);
        assertThat(settings.root().getString("pekko.actor.allow-java-serialization"))
                .isEqualTo("off");
    }
}

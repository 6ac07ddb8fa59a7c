package dev.meridian.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.meridian.engine.MemoryPlan;
import dev.meridian.engine.ModelSettings;
import dev.meridian.engine.bundle.Bundle;
import dev.meridian.engine.bundle.BundleException;
import dev.meridian.engine.bundle.BundleManifest;
import dev.meridian.engine.bundle.BundleManifest.MemoryNeed;
import dev.meridian.engine.bundle.BundleManifest.ModelShape;
import dev.meridian.engine.bundle.BundleManifest.SamplingDefaults;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelsTest {
    @TempDir
    private Path folder;

    private void bundle(String name) throws IOException {
        bundle(name, new ModelShape(2, 64, 64, 2, 2, 32, 100, 512));
    }

    private void bundle(String name, ModelShape shape) throws IOException {
        BundleManifest manifest = new BundleManifest(
                BundleManifest.FORMAT,
                "test",
                "llama",
                shape,
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
    void leavesWhatAKilledImportLeftBehind() throws IOException {
        bundle("a");
        Files.createDirectory(folder.resolve(".b.importing"));
        Files.writeString(folder.resolve(".b.importing/" + BundleManifest.FILE_NAME), "{");
        assertThat(Models.scan(folder)).extracting(Bundle::id).containsExactly("a");
    }

    @Test
    void aBrokenBundleStopsNoOther() throws IOException {
        bundle("a");
        Files.createDirectory(folder.resolve("broken"));
        Files.writeString(folder.resolve("broken/" + BundleManifest.FILE_NAME), "{");
        assertThat(Models.find(folder, "a").id()).isEqualTo("a");
        assertThatThrownBy(() -> Models.find(folder, "broken")).isInstanceOf(BundleException.class);
        assertThatThrownBy(() -> Models.find(folder, "c"))
                .isInstanceOf(CommandFailed.class)
                .hasMessageContaining("[a, broken]");
    }

    @Test
    void aModelsIdIsAFolderBelowAndNoPath() throws IOException {
        bundle("a");
        for (String id : List.of(
                "",
                ".",
                "..",
                "../" + folder.getFileName() + "/a",
                folder.resolve("a").toString())) {
            assertThatThrownBy(() -> Models.find(folder, id))
                    .as(id)
                    .isInstanceOf(CommandFailed.class)
                    .hasMessageContaining("no model '" + id + "'");
        }
    }

    @Test
    void modelsThatDoNotFitTheBudgetTogetherAreRefusedWithTheNumbers() throws IOException {
        bundle("a");
        bundle("b");
        List<Bundle> bundles = Models.scan(folder);
        long need = fixedBytes(bundles.getFirst());
        assertThatThrownBy(() -> Models.load(bundles, settings(2 * need - 1)))
                .isInstanceOf(CommandFailed.class)
                .hasMessageContaining("memory budget of " + Bytes.format(2 * need - 1))
                .hasMessageContaining("a " + Bytes.format(need) + ", b " + Bytes.format(need));
    }

    @Test
    void refusesAModelWhoseKvCacheDoesNotFitWithTheNumbers() throws IOException {
        bundle("a");
        List<Bundle> bundles = Models.scan(folder);
        assertThatThrownBy(() -> Models.load(bundles, settings(fixedBytes(bundles.getFirst()) + 1)))
                .isInstanceOf(BundleException.class)
                .hasMessageContaining("does not fit")
                .hasMessageContaining("1000000");
    }

    private static ModelSettings settings(long budgetBytes) {
        return NodeSettings.load(null, Map.of("meridian.engine.memory-budget", budgetBytes, "meridian.engine.slots", 1))
                .models();
    }

    private static long fixedBytes(Bundle bundle) {
        return MemoryPlan.fixedBytes(bundle, settings(1));
    }

    @Test
    void aContextThatNoBufferHoldsIsTheUsersMatter() throws IOException {
        ModelShape wide = new ModelShape(2, 64, 64, 64, 64, 1024, 100, 1 << 20);
        bundle("a", wide);
        NodeSettings settings = NodeSettings.load(null, Map.of("meridian.engine.context", 1 << 20));
        assertThatThrownBy(() -> Models.load(Models.scan(folder), settings.models()))
                .isInstanceOf(CommandFailed.class)
                .hasMessageStartingWith("a: ")
                .hasMessageContaining("lower the context");
    }
}

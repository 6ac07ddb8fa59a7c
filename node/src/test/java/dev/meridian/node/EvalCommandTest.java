package dev.meridian.node;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.meridian.engine.bundle.Bundle;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class EvalCommandTest {
    @TempDir
    private Path folder;

    private List<Bundle> made() throws IOException {
        return List.of(
                Bundles.write(folder.resolve("f32"), "f32", "wide"),
                Bundles.write(folder.resolve("int8"), "int8", "narrow"));
    }

    private Path source() {
        return folder.resolve("little-src/checkpoint");
    }

    @Test
    void aBundleThatImportMakesIsEvaluated() throws IOException {
        Bundle shipped = Bundles.write(folder.resolve("little"), "int8", "narrow");
        List<Bundle> made = made();

        assertThatCode(() -> EvalCommand.requireMadeFrom(source(), shipped, made))
                .doesNotThrowAnyException();
    }

    @Test
    void aBundleThatDiffersFromItsSourceIsRefused() throws IOException {
        Bundle old = Bundles.write(folder.resolve("little"), "int8", "narrow, of an older import");
        Bundle mislabelled = Bundles.write(folder.resolve("wrong"), "f32", "narrow");
        List<Bundle> made = made();

        for (Bundle bundle : List.of(old, mislabelled)) {
            assertThatThrownBy(() -> EvalCommand.requireMadeFrom(source(), bundle, made))
                    .isInstanceOf(CommandFailed.class)
                    .hasMessage(bundle.folder() + ": the bundle is not what import makes of " + source()
                            + "; import it again");
        }
    }

    @Test
    void aDamagedBundleIsRefusedWithItsFaults() throws IOException {
        Bundle bundle = Bundles.write(folder.resolve("little"));
        Files.writeString(bundle.file("model.onnx"), "Graph");

        assertThatThrownBy(() -> EvalCommand.requireWhole(bundle))
                .isInstanceOf(CommandFailed.class)
                .hasMessageContaining("little is damaged: model.onnx: SHA-256 differs");
    }
}

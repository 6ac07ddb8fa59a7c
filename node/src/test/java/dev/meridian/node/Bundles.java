package dev.meridian.node;

import dev.meridian.engine.bundle.Bundle;
import dev.meridian.engine.bundle.BundleManifest;
import dev.meridian.engine.bundle.BundleManifest.BundleFile;
import dev.meridian.engine.bundle.BundleManifest.MemoryNeed;
import dev.meridian.engine.bundle.BundleManifest.ModelShape;
import dev.meridian.engine.bundle.BundleManifest.SamplingDefaults;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Bundles of a manifest and one file, which no engine could load. */
final class Bundles {
    private Bundles() {}

    /** Little, of int8 weights and 512 tokens of context. */
    static Bundle write(Path folder) throws IOException {
        return write(folder, "int8", "graph");
    }

    static Bundle write(Path folder, String weights, String graph) throws IOException {
        Files.createDirectory(folder);
        Path model = Files.writeString(folder.resolve(BundleManifest.MODEL_FILE), graph);
        BundleManifest manifest = new BundleManifest(
                BundleManifest.FORMAT,
                "Little",
                "llama",
                new ModelShape(1, 2, 3, 1, 1, 2, 16, 512),
                weights,
                "f32",
                new MemoryNeed(5, 16, 0),
                null,
                List.of(2),
                SamplingDefaults.none(),
                "Apache-2.0",
                "00",
                Map.of(BundleManifest.MODEL_FILE, new BundleFile(Files.size(model), Bundle.sha256(model))));
        Files.write(folder.resolve(BundleManifest.FILE_NAME), Bundle.manifestBytes(manifest));
        return Bundle.open(folder);
    }
}

package dev.meridian.builder;

import dev.meridian.builder.graph.TinyDecoder;
import dev.meridian.builder.graph.TinyDecoder.Form;
import dev.meridian.engine.bundle.Bundle;
import dev.meridian.engine.bundle.BundleManifest;
import dev.meridian.engine.bundle.BundleManifest.BundleFile;
import dev.meridian.engine.bundle.BundleManifest.MemoryNeed;
import dev.meridian.engine.bundle.BundleManifest.ModelShape;
import dev.meridian.engine.bundle.BundleManifest.SamplingDefaults;
import dev.meridian.engine.bundle.GraphLayout;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Bundles of {@link TinyDecoder}s, written without the importer. */
public final class TinyBundles {
    private TinyBundles() {}

    /** The manifest is that of a graph of {@code form}, whatever the decoder is. */
    public static Bundle write(Path folder, TinyDecoder decoder, Form form, int vocabSize) throws IOException {
        decoder.write(folder, "model.onnx");
        Map<String, BundleFile> files = new HashMap<>();
        for (String name : List.of("model.onnx", "model.onnx_data")) {
            Path file = folder.resolve(name);
            files.put(name, new BundleFile(Files.size(file), Bundle.sha256(file)));
        }
        int element = form.halfCache() ? 2 : 4;
        BundleManifest manifest = new BundleManifest(
                BundleManifest.FORMAT,
                "tiny",
                "tiny",
                new ModelShape(
                        TinyDecoder.LAYERS,
                        TinyDecoder.WIDTH,
                        TinyDecoder.WIDTH,
                        TinyDecoder.HEADS,
                        TinyDecoder.HEADS,
                        TinyDecoder.HEAD_DIM,
                        vocabSize,
                        TinyDecoder.CONTEXT),
                "f32",
                form.halfCache() ? "f16" : "f32",
                new MemoryNeed(Files.size(folder.resolve("model.onnx_data")), 2L * 2 * 2 * 4 * element, 0),
                null,
                List.of(0),
                SamplingDefaults.none(),
                "unknown",
                "00",
                files,
                new GraphLayout(
                        GraphLayout.PAST_PRESENT,
                        "input_ids",
                        form.mask() ? "attention_mask" : null,
                        form.positions() ? "position_ids" : null,
                        "logits",
                        TinyDecoder.caches("past_key_values", form.combined()),
                        TinyDecoder.caches("present", form.combined())),
                null);
        Files.write(folder.resolve(BundleManifest.FILE_NAME), Bundle.manifestBytes(manifest));
        return Bundle.open(folder);
    }
}

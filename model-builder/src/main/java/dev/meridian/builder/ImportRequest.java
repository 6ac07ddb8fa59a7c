package dev.meridian.builder;

import dev.meridian.builder.quant.Weights;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What to import.
 *
 * @param source a Hugging Face or onnxruntime-genai model folder
 * @param weights how matrices are stored; a ready-made graph keeps its own
 * @param onnx a ready-made graph, by its file's name in the folder or in the folder's {@code onnx}; null where the
 *     weights are meant or, in a folder without any, the only graph or the one called {@code model.onnx}
 * @param out the bundle's folder, which must not exist; its last component becomes the model's id
 */
public record ImportRequest(
        Path source,
        Path out,
        Weights weights,
        KvType kv,
        @Nullable String onnx) {
    public ImportRequest(Path source, Path out, Weights weights, KvType kv) {
        this(source, out, weights, kv, null);
    }
}

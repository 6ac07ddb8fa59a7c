package dev.meridian.builder;

import dev.meridian.builder.quant.Weights;
import java.nio.file.Path;

/**
 * What to import.
 *
 * @param source a Hugging Face model folder
 * @param out the bundle's folder, which must not exist; its last component becomes the model's id
 */
public record ImportRequest(Path source, Path out, Weights weights, KvType kv) {}

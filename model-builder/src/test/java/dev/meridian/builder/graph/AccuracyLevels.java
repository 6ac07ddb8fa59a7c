package dev.meridian.builder.graph;

import com.google.protobuf.ByteString;
import dev.meridian.builder.quant.Weights;
import dev.meridian.builder.source.ModelConfig;
import dev.meridian.engine.bundle.BundleManifest;

/** Model files over the same data file that compute with another precision of activations. */
public final class AccuracyLevels {
    private AccuracyLevels() {}

    public static ByteString modelFile(ModelConfig config, Weights weights, TokenTables tables, int level) {
        return DecoderGraph.plan(config, weights, tables, BundleManifest.WEIGHTS_FILE, level)
                .modelFile();
    }
}

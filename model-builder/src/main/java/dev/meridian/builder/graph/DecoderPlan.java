package dev.meridian.builder.graph;

import com.google.protobuf.ByteString;
import java.util.List;
import java.util.Optional;

/**
 * A decoder laid out on disk before any weight is read.
 *
 * @param modelFile the bytes of model.onnx
 * @param kernelsFile the bytes of kernels.onnx, where quantised weights are packed for Meridian's own operators
 * @param matrices what goes into the data file, besides the rotary table
 * @param dataBytes length of the data file
 * @param loadedBytes estimate of model.onnx's weights in memory once ONNX Runtime has packed the matrices for its kernels
 * @param mappedBytes weights in memory where kernels.onnx is loaded, which maps them
 */
public record DecoderPlan(
        ByteString modelFile,
        Optional<ByteString> kernelsFile,
        List<WeightMatrix> matrices,
        RotaryTable rotary,
        long dataBytes,
        long loadedBytes,
        long mappedBytes) {}

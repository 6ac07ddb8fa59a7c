package dev.meridian.builder.graph;

import com.google.protobuf.ByteString;
import java.util.List;

/**
 * A decoder laid out on disk before any weight is read.
 *
 * @param modelFile the bytes of model.onnx
 * @param matrices what goes into the data file, besides the rotary table
 * @param dataBytes length of the data file
 * @param loadedBytes estimate of the weights in memory once ONNX Runtime has packed the matrices for its kernels
 */
public record DecoderPlan(
        ByteString modelFile, List<WeightMatrix> matrices, RotaryTable rotary, long dataBytes, long loadedBytes) {}

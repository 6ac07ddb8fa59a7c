/**
 * The ONNX file: a decoder's nodes, where each weight lies in the external data file, and the protobuf bytes. Reads no
 * checkpoint and draws no numbers; it says which weights are wanted where.
 */
@NullMarked
package dev.meridian.builder.graph;

import org.jspecify.annotations.NullMarked;

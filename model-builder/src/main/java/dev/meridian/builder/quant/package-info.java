/**
 * Weights as float16, and in blocks of 32 with one scale each, as ONNX Runtime's MatMulNBits defines them. Knows nothing
 * of files or models.
 */
@NullMarked
package dev.meridian.builder.quant;

import org.jspecify.annotations.NullMarked;

/** Tests of the memory under ONNX Runtime. */
@NullMarked
package dev.meridian.engine.onnx;

import org.jspecify.annotations.NullMarked;

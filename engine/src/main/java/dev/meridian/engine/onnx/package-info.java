/** The one place that knows ONNX Runtime: sessions, KV memory, and the runner over them. */
@NullMarked
package dev.meridian.engine.onnx;

import org.jspecify.annotations.NullMarked;

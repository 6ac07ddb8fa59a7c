/**
 * The native kernels of {@code src/main/native}: finding the library that the build packed for this machine. Whoever makes
 * sessions asks here for its file; this package knows nothing of ONNX Runtime, of models or of graphs.
 */
@NullMarked
package dev.meridian.engine.kernels;

import org.jspecify.annotations.NullMarked;

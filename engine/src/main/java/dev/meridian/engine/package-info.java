/**
 * Token generation: one engine thread per loaded variant runs {@code receive -> schedule -> forward -> process}. Knows no
 * actor and no HTTP; model-actors and bench call it. Only {@code engine.onnx} knows ONNX Runtime.
 */
@NullMarked
package dev.meridian.engine;

import org.jspecify.annotations.NullMarked;

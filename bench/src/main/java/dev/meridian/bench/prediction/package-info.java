/**
 * Whether the placement simulator is right: one scenario of four nodes, simulated and run for real. Used by {@code bench}; knows the
 * HTTP API and the simulator, and nothing of how a node works.
 */
@NullMarked
package dev.meridian.bench.prediction;

import org.jspecify.annotations.NullMarked;

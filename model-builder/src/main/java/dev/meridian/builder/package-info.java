/**
 * A Hugging Face folder in, a bundle out: {@link dev.meridian.builder.Importer}, and {@link
 * dev.meridian.builder.Synthesizer} for bundles of random weights. Called by the command line; offline, and knows
 * nothing of sessions, actors or HTTP.
 */
@NullMarked
package dev.meridian.builder;

import org.jspecify.annotations.NullMarked;

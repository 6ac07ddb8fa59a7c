/**
 * What an import reads: config.json, safetensors, and the small files beside them, checked before anything is written.
 * Knows nothing of quantisation, graphs or bundles.
 */
@NullMarked
package dev.meridian.builder.source;

import org.jspecify.annotations.NullMarked;

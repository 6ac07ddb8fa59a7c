/** Tests of block quantisation. */
@NullMarked
package dev.meridian.builder.quant;

import org.jspecify.annotations.NullMarked;

/** Tests of the native kernels, which are skipped where the build had no C compiler. */
@NullMarked
package dev.meridian.engine.kernels;

import org.jspecify.annotations.NullMarked;

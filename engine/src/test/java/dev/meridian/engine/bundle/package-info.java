/** Tests of the bundle format. */
@NullMarked
package dev.meridian.engine.bundle;

import org.jspecify.annotations.NullMarked;

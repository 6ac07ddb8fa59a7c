/** Tests of the engine over graphs that only this module's tests can write. */
@NullMarked
package dev.meridian.engine;

import org.jspecify.annotations.NullMarked;

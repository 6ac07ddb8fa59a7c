/** Tests of the engine over the models that ship, which only this module can see. */
@NullMarked
package dev.meridian.engine;

import org.jspecify.annotations.NullMarked;

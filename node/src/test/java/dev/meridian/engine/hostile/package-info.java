/** Bundles that somebody damaged with intent, each loaded in a JVM that may die of it. */
@NullMarked
package dev.meridian.engine.hostile;

import org.jspecify.annotations.NullMarked;

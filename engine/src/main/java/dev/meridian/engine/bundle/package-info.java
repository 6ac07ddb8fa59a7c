/** The bundle format: one variant of one model as a folder. Written by model-builder, read by the engine. */
@NullMarked
package dev.meridian.engine.bundle;

import org.jspecify.annotations.NullMarked;

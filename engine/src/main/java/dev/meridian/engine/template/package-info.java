/**
 * An interpreter of the Jinja subset that chat templates use. A template is code from a stranger: no reflection, no I/O,
 * limits on steps, output and time. Knows nothing of tokenizers; {@code engine.text} and model-builder call it.
 */
@NullMarked
package dev.meridian.engine.template;

import org.jspecify.annotations.NullMarked;

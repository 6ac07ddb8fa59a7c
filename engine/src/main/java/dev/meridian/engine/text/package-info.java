/** Text to token ids and back: tokenizer, chat prompt, streaming detokenisation. Knows nothing of sampling or graphs. */
@NullMarked
package dev.meridian.engine.text;

import org.jspecify.annotations.NullMarked;

/**
 * OpenAI's dialect: request bodies to prompts and generations, entries to chunks and replies, refusals to error
 * objects. Pure functions and small writers; it knows neither actors nor HTTP connections.
 */
@NullMarked
package dev.meridian.edge.openai;

import org.jspecify.annotations.NullMarked;

/**
 * What measurements over HTTP have in common: nodes as child processes, an HTTP client that costs little, and statistics.
 * For the other packages of this module; knows no measurement.
 */
@NullMarked
package dev.meridian.bench.load;

import org.jspecify.annotations.NullMarked;

/** Measurements: load generators and the tables they print. Started by node's command line; never part of serving. */
@NullMarked
package dev.meridian.bench;

import org.jspecify.annotations.NullMarked;

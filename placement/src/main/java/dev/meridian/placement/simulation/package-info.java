/**
 * A cluster on virtual time, to compare placement policies: the policies are the real ones, everything around them is a model of it
 * that docs/placement.md describes. A run is a pure function of its scenario, its policy and its seed: no actors, clocks or threads.
 * Times are microseconds since the scenario's begin. Called by the command line, benchmarks and tests.
 */
@NullMarked
package dev.meridian.placement.simulation;

import org.jspecify.annotations.NullMarked;

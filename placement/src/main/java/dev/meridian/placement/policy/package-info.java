/**
 * Who should hold what: policies as pure functions from a picture of the cluster and its demand to a plan. The same code runs in
 * a region's placement, in the simulator and in tests.
 */
@NullMarked
package dev.meridian.placement.policy;

import org.jspecify.annotations.NullMarked;

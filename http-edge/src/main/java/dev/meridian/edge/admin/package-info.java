/**
 * The operators' API of the cluster: what there is, and changes of where it is. Reads what this node knows; changes go to the
 * placement of the region that they are about.
 */
@NullMarked
package dev.meridian.edge.admin;

import org.jspecify.annotations.NullMarked;

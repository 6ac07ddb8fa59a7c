/**
 * Which node holds what: the view that each node has of the others, the pins of a region and who writes them, moves.
 * Used by the composition root. Knows no model host and no HTTP: it reads what nodes say of themselves, and writes pins
 * that their model hosts follow.
 */
@NullMarked
package dev.meridian.placement;

import org.jspecify.annotations.NullMarked;

/** Tests' access to the parts of graphs that importers leave at their defaults. */
@NullMarked
package dev.meridian.builder.graph;

import org.jspecify.annotations.NullMarked;

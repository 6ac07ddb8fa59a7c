/**
 * The composition root: the command line, its output, and what wires the modules together into one node. Nobody imports
 * it. Each command is a class of its own, named in {@link dev.meridian.node.Main}'s list.
 */
@NullMarked
package dev.meridian.node;

import org.jspecify.annotations.NullMarked;

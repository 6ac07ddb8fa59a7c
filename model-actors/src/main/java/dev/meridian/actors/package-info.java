/**
 * A model replica as an actor: the node's model host admits, templates and tokenises, hands sequences to the engine and
 * carries what the engine makes to the edges. Started by node; knows the protocol and the engine, no HTTP and no placement.
 */
@NullMarked
package dev.meridian.actors;

import org.jspecify.annotations.NullMarked;

/**
 * What nodes of a cluster tell each other about themselves: which models they have, which replicas they serve, and how busy
 * these are.
 */
@NullMarked
package dev.meridian.protocol.cluster;

import org.jspecify.annotations.NullMarked;

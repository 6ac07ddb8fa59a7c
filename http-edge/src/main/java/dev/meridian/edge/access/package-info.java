/**
 * Who may use the edge: hosts and origins, keys and their limits, certificates. Decides before a body is read. The edge
 * asks it, and {@code node} writes its key file and reads its own PEM files by it; it knows nothing of models, streams and
 * replicas.
 */
@NullMarked
package dev.meridian.edge.access;

import org.jspecify.annotations.NullMarked;

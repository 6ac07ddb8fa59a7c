/** Tests on real processes: each node is a JVM of its own, talked to over HTTP alone. */
@NullMarked
package dev.meridian.processes;

import org.jspecify.annotations.NullMarked;

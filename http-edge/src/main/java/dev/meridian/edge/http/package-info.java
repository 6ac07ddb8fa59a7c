/**
 * One HTTP connection: its requests in order, when its client left, CORS, request ids. Only the edge uses it; it knows
 * neither models nor JSON.
 */
@NullMarked
package dev.meridian.edge.http;

import org.jspecify.annotations.NullMarked;

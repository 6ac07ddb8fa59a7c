/**
 * What crosses the wire: the values of a request and its stream. Every other module may use it; it imports no other module.
 */
@NullMarked
package dev.meridian.protocol;

import org.jspecify.annotations.NullMarked;

/** Tests of what an import reads. */
@NullMarked
package dev.meridian.builder.source;

import org.jspecify.annotations.NullMarked;

/**
 * Tests of the importer, and what they share with other modules' tests: {@link dev.meridian.builder.ReferenceModel}.
 */
@NullMarked
package dev.meridian.builder;

import org.jspecify.annotations.NullMarked;

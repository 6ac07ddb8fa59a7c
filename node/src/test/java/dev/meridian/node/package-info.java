/** Tests of the command line, of the launcher and of the rules that all modules keep. */
@NullMarked
package dev.meridian.node;

import org.jspecify.annotations.NullMarked;

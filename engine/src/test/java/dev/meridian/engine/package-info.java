/** Tests of the engine, and the fakes that other modules' tests drive it with: ScriptedRunner, LetterVocabulary. */
@NullMarked
package dev.meridian.engine;

import org.jspecify.annotations.NullMarked;

package dev.meridian.engine;

import dev.meridian.engine.text.StopMatcher;
import java.util.List;

/**
 * The text of one sequence as it grows: tokens in, text that a client may see out. A function of the tokens alone, so that
 * a continuation can replay what was emitted. Not safe for several threads.
 */
final class SequenceText {
    private final Vocabulary.TextStream stream;
    private final StopMatcher stops;

    SequenceText(Vocabulary vocabulary, List<String> stop) {
        stream = vocabulary.newStream();
        stops = new StopMatcher(stop);
    }

    /** Text made ready by a token; see {@link #stopped()}. */
    String append(int token) {
        return stops.append(stream.append(token));
    }

    /** What was held back, when no token follows. A stop text may still be found in it. */
    String finish() {
        String rest = stops.append(stream.flush());
        return stops.stopped() ? rest : rest + stops.flush();
    }

    boolean stopped() {
        return stops.stopped();
    }
}

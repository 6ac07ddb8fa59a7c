package dev.meridian.engine;

import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.Entry;
import dev.meridian.protocol.Refusal;
import java.util.List;

/** Told by the engine thread what a step made. Must return at once and must not throw: the next step waits for it. */
public interface StepListener {
    /** The entries of all sequences that got a token in this step; never empty. */
    void onStep(long step, List<Entry> entries);

    /** An accepted attempt ended without its last token; none of its choices goes on. */
    void onRefused(Attempt attempt, Refusal reason);

    /** The engine stopped by itself; every live attempt was refused before. */
    void onFailed(Throwable cause);
}

package dev.meridian.actors;

import dev.meridian.engine.Engine;
import dev.meridian.engine.EngineStats;
import dev.meridian.engine.StepListener;
import dev.meridian.engine.text.Encoded;
import dev.meridian.protocol.Prompt;

/** A model in memory as its host needs it. Closed, which blocks, by whoever loaded it, after its host has stopped. */
public interface HostedModel extends AutoCloseable {
    /** Templates and tokenises; several at a time, on any thread. */
    Encoded encode(Prompt prompt);

    /** Starts its engine; called once. */
    Engine start(StepListener listener);

    /** What the engine did so far. Safe from any thread. */
    EngineStats stats();

    /** Bytes of native memory that it may use. */
    long reservedBytes();

    @Override
    void close();
}

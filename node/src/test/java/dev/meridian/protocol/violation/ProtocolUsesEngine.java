package dev.meridian.protocol.violation;

import dev.meridian.engine.ModelRunner;

/** The protocol knows a module. */
public interface ProtocolUsesEngine {
    ModelRunner runner();
}

package dev.meridian.engine.violation;

import dev.meridian.edge.violation.EdgeUsesSiblings;

/** The engine knows a module above it. */
public interface EngineUsesEdge {
    EdgeUsesSiblings edge();
}

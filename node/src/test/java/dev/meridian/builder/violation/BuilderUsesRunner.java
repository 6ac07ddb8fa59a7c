package dev.meridian.builder.violation;

import dev.meridian.engine.ModelRunner;

/** The builder uses more of the engine than its bundle format. */
public interface BuilderUsesRunner {
    ModelRunner runner();
}

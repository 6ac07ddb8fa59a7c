package dev.meridian.builder.violation;

import dev.meridian.engine.bundle.Bundle;

/** The builder uses the bundle format, and may. */
public interface BuilderUsesBundle {
    Bundle bundle();
}

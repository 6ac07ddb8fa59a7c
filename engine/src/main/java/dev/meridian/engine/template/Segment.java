package dev.meridian.engine.template;

import java.util.Objects;

/**
 * A run of a rendered template. Text of a template may hold special tokens; text of a message is data, in which
 * {@code <|im_start|>} is nothing but characters.
 */
public record Segment(String text, boolean fromMessage) {
    public Segment {
        Objects.requireNonNull(text);
    }
}

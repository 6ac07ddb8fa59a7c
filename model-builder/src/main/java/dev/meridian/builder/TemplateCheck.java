package dev.meridian.builder;

import dev.meridian.builder.source.ImportException;

/** Refuses a chat template that cannot be run when the model is served, by line. */
@FunctionalInterface
public interface TemplateCheck {
    /**
     * Refuses or returns.
     *
     * @param origin the file that the template stands in, for the message
     */
    void check(String origin, String template) throws ImportException;

    static TemplateCheck none() {
        return (_, _) -> {};
    }
}

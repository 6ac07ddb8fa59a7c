package dev.meridian.builder;

import dev.meridian.builder.source.ImportException;
import dev.meridian.engine.template.ChatTemplate;
import dev.meridian.engine.template.TemplateException;

/** Refuses a chat template that cannot be run when the model is served, by line. */
@FunctionalInterface
public interface TemplateCheck {
    /**
     * Refuses or returns.
     *
     * @param origin the file that the template stands in, for the message
     */
    void check(String origin, String template) throws ImportException;

    /** Compiles the template with the interpreter that will run it. */
    static TemplateCheck compiling() {
        return (origin, template) -> {
            try {
                ChatTemplate.compile(template);
            } catch (TemplateException e) {
                throw new ImportException(origin + ": chat template, line " + e.line() + ": " + e.getMessage(), e);
            }
        };
    }
}

package dev.meridian.engine.template;

/** A template that cannot be compiled, raised an error or passed a limit. */
public final class TemplateException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int line;

    /** {@code line} counts from 1; 0 where it is unknown. */
    public TemplateException(String message, int line) {
        super(message);
        this.line = line;
    }

    /** An error raised by a function that does not know its line; the interpreter adds it. */
    TemplateException(String message) {
        this(message, 0);
    }

    /** The line of the template's source, counted from 1; 0 where it is unknown. */
    public int line() {
        return line;
    }

    TemplateException at(int knownLine) {
        return line > 0 ? this : new TemplateException(String.valueOf(getMessage()), knownLine);
    }
}

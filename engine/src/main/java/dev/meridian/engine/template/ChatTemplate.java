package dev.meridian.engine.template;

import java.util.List;

/**
 * A compiled chat template: the Jinja subset that Hugging Face chat templates use, with the settings of transformers
 * ({@code trim_blocks}, {@code lstrip_blocks}, loop controls, {@code tojson}, {@code raise_exception},
 * {@code strftime_now}, {@code {% generation %}}). Not supported, and refused by line: inheritance and inclusion,
 * recursive loops, {@code *args}; integers are of 64 bits; {@code escape} marks nothing as safe. Immutable; any number
 * of threads may render at once.
 *
 * <p>Source: the template designer documentation of Jinja 3.1.
 */
public final class ChatTemplate {
    private static final int MAX_SOURCE_CHARS = 1 << 20;

    private final List<Statement> statements;

    private ChatTemplate(List<Statement> statements) {
        this.statements = statements;
    }

    /** Compiles a template of at most a million characters. Throws {@link TemplateException} with the line at fault. */
    public static ChatTemplate compile(String source) {
        if (source.length() > MAX_SOURCE_CHARS) {
            throw new TemplateException("the template has more than " + MAX_SOURCE_CHARS + " characters", 1);
        }
        try {
            return new ChatTemplate(TemplateParser.parse(source));
        } catch (StackOverflowError e) {
            // The parser bounds its own recursion; this is for callers that are deep in their stack already.
            throw new TemplateException("the template nests too deeply", 0);
        }
    }

    /**
     * Renders into runs of the template's own text and of messages' text, none empty. Throws {@link TemplateException}
     * where the template raises an error or passes a limit.
     */
    public List<Segment> render(TemplateInput input, TemplateLimits limits) {
        Interpreter interpreter = new Interpreter(new Context(new Budget(limits), input));
        try {
            return interpreter.render(statements).segments();
        } catch (TemplateException e) {
            throw e.at(interpreter.line());
        } catch (StackOverflowError e) {
            throw new TemplateException("the template nests too deeply", interpreter.line());
        }
    }
}

package dev.meridian.engine.template;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** The nodes that do something. */
sealed interface Statement {
    record Data(Text text) implements Statement {}

    record Print(Expression value) implements Statement {}

    record If(List<Branch> branches, List<Statement> otherwise) implements Statement {}

    record Branch(Expression test, List<Statement> body) {}

    record For(
            Target target,
            Expression items,
            @Nullable Expression test,
            List<Statement> body,
            List<Statement> otherwise,
            int line)
            implements Statement {}

    record Set(Target target, Expression value) implements Statement {}

    record SetBlock(Target target, Expression.@Nullable Filter filter, List<Statement> body, int line)
            implements Statement {}

    record Macro(String name, Signature signature, List<Statement> body) implements Statement {}

    /** Calls a macro that may call this block back as {@code caller()}. */
    record CallBlock(Signature signature, Expression.Call call, List<Statement> body) implements Statement {}

    record FilterBlock(Expression.Filter filter, List<Statement> body, int line) implements Statement {}

    record With(List<Assignment> assignments, List<Statement> body) implements Statement {}

    record Assignment(Target target, Expression value) {}

    /** A block whose assignments end with it. */
    record Scoped(List<Statement> body) implements Statement {}

    record Break() implements Statement {}

    record Continue() implements Statement {}

    /** Parameters of a macro; a null default means that there is none. */
    record Signature(List<Parameter> parameters) {}

    record Parameter(String name, @Nullable Expression fallback) {}

    /** What can be assigned to. */
    sealed interface Target {
        int line();

        record Variable(String name, int line) implements Target {}

        record Unpacked(List<Target> targets, int line) implements Target {}

        record NamespaceAttribute(String namespace, String attribute, int line) implements Target {}
    }
}

package dev.meridian.engine.template;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** The nodes that have a value. */
sealed interface Expression {
    /** Line of the template's source, counted from 1. */
    int line();

    record Constant(Value value, int line) implements Expression {}

    record Name(String name, int line) implements Expression {}

    record ListLiteral(List<Expression> items, int line) implements Expression {}

    record TupleLiteral(List<Expression> items, int line) implements Expression {}

    record DictLiteral(List<Pair> pairs, int line) implements Expression {}

    record Pair(Expression key, Expression value) {}

    record Attribute(Expression target, String name, int line) implements Expression {}

    record Subscript(Expression target, Expression index, int line) implements Expression {}

    /** {@code [from:to:step]}, each of them optional. */
    record Slice(
            Expression target,
            @Nullable Expression from,
            @Nullable Expression to,
            @Nullable Expression step,
            int line) implements Expression {}

    record Call(Expression target, Arguments arguments, int line) implements Expression {}

    /** {@code target} is null at the head of a filter block, where the block's text is the input. */
    record Filter(@Nullable Expression target, String name, Arguments arguments, int line) implements Expression {}

    record Test(Expression target, String name, Arguments arguments, int line) implements Expression {}

    record Not(Expression operand, int line) implements Expression {}

    record And(Expression left, Expression right, int line) implements Expression {}

    record Or(Expression left, Expression right, int line) implements Expression {}

    /** {@code operator} is {@code +} or {@code -}. */
    record Unary(String operator, Expression operand, int line) implements Expression {}

    record Binary(String operator, Expression left, Expression right, int line) implements Expression {}

    record Concat(List<Expression> items, int line) implements Expression {}

    /** {@code a < b < c}: each operand is evaluated once. */
    record Compare(Expression first, List<Comparison> rest, int line) implements Expression {}

    record Comparison(String operator, Expression operand) {}

    record Conditional(
            Expression test, Expression then, @Nullable Expression otherwise, int line) implements Expression {}

    record Arguments(List<Expression> positional, List<Keyword> named) {
        static final Arguments NONE = new Arguments(List.of(), List.of());
    }

    record Keyword(String name, Expression value) {}
}

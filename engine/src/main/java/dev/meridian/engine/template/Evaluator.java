package dev.meridian.engine.template;

import dev.meridian.engine.template.Expression.Arguments;
import dev.meridian.engine.template.Expression.Comparison;
import dev.meridian.engine.template.Expression.Keyword;
import dev.meridian.engine.template.Expression.Pair;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Computes expressions. One rendering, one thread. */
final class Evaluator {
    private final Context context;
    private final Budget budget;
    private final Operators operators;
    private int line = 1;

    Evaluator(Context context) {
        this.context = context;
        this.budget = context.budget;
        this.operators = new Operators(context);
    }

    int line() {
        return line;
    }

    boolean truth(Expression expression, Scope scope) {
        return Operators.truth(evaluate(expression, scope));
    }

    Value evaluate(Expression expression, Scope scope) {
        budget.enter();
        line = expression.line();
        Value value = compute(expression, scope);
        budget.leave();
        return value;
    }

    private Value compute(Expression expression, Scope scope) {
        return switch (expression) {
            case Expression.Constant(Value value, int _) -> value;
            case Expression.Name(String name, int _) -> variable(name, scope);
            case Expression.ListLiteral(List<Expression> items, int _) -> Value.Seq.list(all(items, scope));
            case Expression.TupleLiteral(List<Expression> items, int _) -> Value.Seq.tuple(all(items, scope));
            case Expression.DictLiteral(List<Pair> pairs, int _) -> dict(pairs, scope);
            case Expression.Attribute(Expression target, String name, int _) ->
                Attributes.attribute(evaluate(target, scope), name);
            case Expression.Subscript(Expression target, Expression index, int _) ->
                Attributes.subscript(budget, evaluate(target, scope), evaluate(index, scope));
            case Expression.Slice slice -> slice(slice, scope);
            case Expression.Call call -> call(call, null, scope);
            case Expression.Filter filter -> filter(filter, null, scope);
            case Expression.Test test -> test(test, scope);
            case Expression.Not(Expression operand, int _) -> Value.Bool.of(!truth(operand, scope));
            case Expression.And(Expression left, Expression right, int _) -> {
                Value first = evaluate(left, scope);
                yield Operators.truth(first) ? evaluate(right, scope) : first;
            }
            case Expression.Or(Expression left, Expression right, int _) -> {
                Value first = evaluate(left, scope);
                yield Operators.truth(first) ? first : evaluate(right, scope);
            }
            case Expression.Unary(String operator, Expression operand, int _) ->
                Arithmetic.sign(operator, evaluate(operand, scope));
            case Expression.Binary binary -> binary(binary, scope);
            case Expression.Concat(List<Expression> items, int _) -> concat(items, scope);
            case Expression.Compare compare -> compare(compare, scope);
            case Expression.Conditional choice -> conditional(choice, scope);
        };
    }

    private Value variable(String name, Scope scope) {
        Value found = scope.find(name);
        if (found != null) {
            return found;
        }
        return context.global(name);
    }

    private List<Value> all(List<Expression> items, Scope scope) {
        List<Value> values = new ArrayList<>(items.size());
        for (Expression item : items) {
            values.add(evaluate(item, scope));
        }
        return values;
    }

    private Value dict(List<Pair> pairs, Scope scope) {
        Map<Value, Value> entries = new LinkedHashMap<>();
        for (Pair pair : pairs) {
            Value key = Operators.hashable(evaluate(pair.key(), scope));
            entries.put(key, evaluate(pair.value(), scope));
        }
        return new Value.Dict(entries);
    }

    private Value slice(Expression.Slice slice, Scope scope) {
        Value target = evaluate(slice.target(), scope);
        Value from = orNone(slice.from(), scope);
        Value to = orNone(slice.to(), scope);
        Value step = orNone(slice.step(), scope);
        return Slices.slice(budget, target, from, to, step);
    }

    private Value orNone(@Nullable Expression expression, Scope scope) {
        return expression == null ? Value.None.NONE : evaluate(expression, scope);
    }

    private Value binary(Expression.Binary binary, Scope scope) {
        Value left = evaluate(binary.left(), scope);
        Value right = evaluate(binary.right(), scope);
        line = binary.line();
        return operators.binary(binary.operator(), left, right);
    }

    private Value concat(List<Expression> items, Scope scope) {
        Text.Builder joined = new Text.Builder();
        for (Expression item : items) {
            Text piece = context.string(evaluate(item, scope));
            budget.checkSize((long) joined.length() + piece.length());
            joined.append(piece);
        }
        budget.chargeText(joined.length());
        return joined.build();
    }

    private Value compare(Expression.Compare compare, Scope scope) {
        Value left = evaluate(compare.first(), scope);
        for (Comparison comparison : compare.rest()) {
            Value right = evaluate(comparison.operand(), scope);
            line = compare.line();
            if (!operators.compare(comparison.operator(), left, right)) {
                return Value.Bool.FALSE;
            }
            left = right;
        }
        return Value.Bool.TRUE;
    }

    private Value conditional(Expression.Conditional choice, Scope scope) {
        if (truth(choice.test(), scope)) {
            return evaluate(choice.then(), scope);
        }
        Expression otherwise = choice.otherwise();
        return otherwise == null
                ? new Value.Undefined("the inline if-expression evaluated to false and no else section was defined")
                : evaluate(otherwise, scope);
    }

    private Value test(Expression.Test test, Scope scope) {
        Args args = arguments(test.arguments(), scope).withFirst(evaluate(test.target(), scope));
        line = test.line();
        return Value.Bool.of(context.test(test.name(), args));
    }

    /** Applies a chain of filters; {@code input} is what its head without a target works on. */
    Value filter(Expression.Filter filter, @Nullable Value input, Scope scope) {
        Expression target = filter.target();
        Value value;
        if (target == null) {
            value = input == null ? Text.EMPTY : input;
        } else if (input != null && target instanceof Expression.Filter inner) {
            value = filter(inner, input, scope);
        } else {
            value = evaluate(target, scope);
        }
        Args args = arguments(filter.arguments(), scope).withFirst(value);
        line = filter.line();
        return context.filter(filter.name(), args);
    }

    /** Calls; a call block adds itself as the named argument {@code caller}. */
    Value call(Expression.Call call, Value.@Nullable Function caller, Scope scope) {
        Value callee = evaluate(call.target(), scope);
        Args args = arguments(call.arguments(), scope);
        if (caller != null) {
            Map<String, Value> named = new LinkedHashMap<>(args.named);
            named.put(caller.name, caller);
            args = new Args(args.positional, named);
        }
        line = call.line();
        return context.call(callee, args);
    }

    private Args arguments(Arguments arguments, Scope scope) {
        Map<String, Value> named = new LinkedHashMap<>();
        List<Value> positional = all(arguments.positional(), scope);
        for (Keyword keyword : arguments.named()) {
            named.put(keyword.name(), evaluate(keyword.value(), scope));
        }
        return new Args(positional, named);
    }
}

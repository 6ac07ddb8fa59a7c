package dev.meridian.engine.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Python's operators over template values. One rendering, one thread. */
final class Operators {
    /** All undefined values are equal, whatever their reason. */
    private static final Value ANY_UNDEFINED = new Value.Undefined("a key is undefined");

    private final Context context;

    Operators(Context context) {
        this.context = context;
    }

    static boolean truth(Value value) {
        return switch (value) {
            case Text text -> !text.isEmpty();
            case Value.Int(long number) -> number != 0;
            case Value.Real(double number) -> number != 0;
            case Value.Bool bool -> bool == Value.Bool.TRUE;
            case Value.None _, Value.Undefined _ -> false;
            case Value.Seq(List<Value> items, Value.Seq.Kind kind) ->
                kind == Value.Seq.Kind.ITERATOR || !items.isEmpty();
            case Value.Dict(Map<Value, Value> entries) -> !entries.isEmpty();
            case Value.Namespace _, Value.Function _, Loop _ -> true;
        };
    }

    /** The value itself where it can be a dictionary's key. */
    static Value hashable(Value value) {
        return switch (value) {
            case Text _, Value.Int _, Value.Bool _, Value.None _ -> value;
            case Value.Real(double number)
            when number == Math.rint(number) && Math.abs(number) < 1e15 -> new Value.Int((long) number);
            case Value.Real _ -> value;
            case Value.Undefined _ -> ANY_UNDEFINED;
            case Value.Seq(List<Value> items, Value.Seq.Kind kind) when kind == Value.Seq.Kind.TUPLE -> flat(items);
            default -> throw new TemplateException("unhashable type: " + Sequences.typeName(value));
        };
    }

    /** A tuple of scalars; one within another is refused, so that hashing never nests. */
    private static Value flat(List<Value> items) {
        List<Value> scalars = new ArrayList<>(items.size());
        for (Value item : items) {
            if (item instanceof Value.Seq) {
                throw new TemplateException("a tuple of tuples as a key is not supported");
            }
            scalars.add(hashable(item));
        }
        return Value.Seq.tuple(scalars);
    }

    Value binary(String operator, Value left, Value right) {
        return switch (operator) {
            case "+" -> add(left, right);
            case "*" -> multiply(left, right);
            case "%" ->
                left instanceof Text format
                        ? PercentFormat.format(context, format, right)
                        : Arithmetic.compute(operator, left, right);
            default -> Arithmetic.compute(operator, left, right);
        };
    }

    private Value add(Value left, Value right) {
        if (left instanceof Text a && right instanceof Text b) {
            context.budget.chargeText((long) a.length() + b.length());
            return new Text.Builder().append(a).append(b).build();
        }
        if (left instanceof Value.Seq a && right instanceof Value.Seq b && isConcatenable(a, b)) {
            context.budget.charge((long) a.items().size() + b.items().size());
            List<Value> joined = new ArrayList<>(a.items());
            joined.addAll(b.items());
            return new Value.Seq(joined, a.kind());
        }
        return Arithmetic.compute("+", left, right);
    }

    private static boolean isConcatenable(Value.Seq a, Value.Seq b) {
        return a.kind() == b.kind() && (a.kind() == Value.Seq.Kind.LIST || a.kind() == Value.Seq.Kind.TUPLE);
    }

    private Value multiply(Value left, Value right) {
        if (left instanceof Value.Int && (right instanceof Text || right instanceof Value.Seq)) {
            return multiply(right, left);
        }
        if (left instanceof Text text && Arithmetic.isInteger(right)) {
            int times = times(text.length(), Arithmetic.integer(right));
            context.budget.chargeText((long) text.length() * times);
            Text.Builder repeated = new Text.Builder();
            for (int i = 0; i < times; i++) {
                repeated.append(text);
            }
            return repeated.build();
        }
        if (left instanceof Value.Seq seq && isConcatenable(seq, seq) && Arithmetic.isInteger(right)) {
            int times = times(seq.items().size(), Arithmetic.integer(right));
            context.budget.charge((long) seq.items().size() * times);
            List<Value> repeated = new ArrayList<>();
            for (int i = 0; i < times; i++) {
                repeated.addAll(seq.items());
            }
            return new Value.Seq(repeated, seq.kind());
        }
        return Arithmetic.compute("*", left, right);
    }

    /** Clamped so that size times this fits a long, and an empty operand is not walked for nothing. */
    private static int times(int size, long wanted) {
        return size == 0 ? 0 : Math.clamp(wanted, 0, Integer.MAX_VALUE);
    }

    boolean compare(String operator, Value left, Value right) {
        return switch (operator) {
            case "==" -> equal(context.budget, left, right);
            case "!=" -> !equal(context.budget, left, right);
            case "<" -> order(context.budget, left, right) < 0;
            case "<=" -> order(context.budget, left, right) <= 0;
            case ">" -> order(context.budget, left, right) > 0;
            case ">=" -> order(context.budget, left, right) >= 0;
            case "in" -> contains(context, right, left);
            case "not in" -> !contains(context, right, left);
            default -> throw new IllegalStateException(operator);
        };
    }

    static boolean equal(Budget budget, Value left, Value right) {
        if (Arithmetic.isNumber(left) && Arithmetic.isNumber(right)) {
            return Arithmetic.compareNumbers(left, right) == 0;
        }
        return switch (left) {
            case Text text -> {
                budget.charge(1 + text.length() / 64);
                yield text.equals(right);
            }
            case Value.Undefined _ -> right instanceof Value.Undefined;
            case Value.Seq seq ->
                right instanceof Value.Seq other
                        && seq.kind() == other.kind()
                        && seq.kind() != Value.Seq.Kind.ITERATOR
                        && equalItems(budget, seq.items(), other.items());
            case Value.Dict dict -> right instanceof Value.Dict other && equalEntries(budget, dict, other);
            default -> left.equals(right);
        };
    }

    private static boolean equalItems(Budget budget, List<Value> left, List<Value> right) {
        if (left.size() != right.size()) {
            return false;
        }
        budget.enter();
        boolean same = true;
        for (int i = 0; i < left.size() && same; i++) {
            budget.charge(1);
            same = equal(budget, left.get(i), right.get(i));
        }
        budget.leave();
        return same;
    }

    private static boolean equalEntries(Budget budget, Value.Dict left, Value.Dict right) {
        if (left.entries().size() != right.entries().size()) {
            return false;
        }
        budget.enter();
        boolean same = true;
        for (Map.Entry<Value, Value> entry : left.entries().entrySet()) {
            Value other = right.entries().get(entry.getKey());
            same = same && other != null && equal(budget, entry.getValue(), other);
        }
        budget.leave();
        return same;
    }

    /** Python's order: numbers, strings by code point, sequences item by item; nothing else has one. */
    static int order(Budget budget, Value left, Value right) {
        if (Arithmetic.isNumber(left) && Arithmetic.isNumber(right)) {
            return Arithmetic.compareNumbers(left, right);
        }
        if (left instanceof Text a && right instanceof Text b) {
            budget.charge(1 + Math.min(a.length(), b.length()) / 64);
            return compareCodePoints(a.chars(), b.chars());
        }
        if (left instanceof Value.Seq a && right instanceof Value.Seq b && isConcatenable(a, b)) {
            return orderItems(budget, a.items(), b.items());
        }
        throw new TemplateException("cannot order " + Sequences.typeName(left) + " and " + Sequences.typeName(right));
    }

    private static int orderItems(Budget budget, List<Value> left, List<Value> right) {
        budget.enter();
        int shared = Math.min(left.size(), right.size());
        for (int i = 0; i < shared; i++) {
            if (!equal(budget, left.get(i), right.get(i))) {
                int order = order(budget, left.get(i), right.get(i));
                budget.leave();
                return order;
            }
        }
        budget.leave();
        return Integer.compare(left.size(), right.size());
    }

    private static int compareCodePoints(String a, String b) {
        int shared = Math.min(a.length(), b.length());
        for (int i = 0; i < shared; i++) {
            if (a.charAt(i) != b.charAt(i)) {
                return Integer.compare(a.codePointAt(i), b.codePointAt(i));
            }
        }
        return Integer.compare(a.length(), b.length());
    }

    static boolean contains(Context context, Value container, Value item) {
        return switch (container) {
            case Text text -> {
                if (!(item instanceof Text part)) {
                    throw new TemplateException(
                            "'in <string>' requires string as left operand, not " + Sequences.typeName(item));
                }
                context.budget.charge(1 + text.length() / 16);
                yield text.chars().contains(part.chars());
            }
            case Value.Dict dict -> dict.entries().containsKey(hashable(item));
            default -> {
                for (Value candidate : Sequences.items(container)) {
                    context.budget.charge(1);
                    if (equal(context.budget, candidate, item)) {
                        yield true;
                    }
                }
                yield false;
            }
        };
    }
}

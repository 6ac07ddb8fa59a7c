package dev.meridian.engine.template;

import java.util.HashMap;
import java.util.Map;
import java.util.function.IntPredicate;
import java.util.function.Predicate;

/** What may follow {@code is}. The first argument is the tested value. */
final class Tests {
    @FunctionalInterface
    interface Check {
        boolean holds(Context context, Args args);
    }

    static final Map<String, Check> ALL = all();

    private Tests() {}

    private static Map<String, Check> all() {
        Map<String, Check> checks = new HashMap<>();
        kinds(checks);
        on(checks, "true", value -> value == Value.Bool.TRUE);
        on(checks, "false", value -> value == Value.Bool.FALSE);
        on(checks, "odd", value -> Math.floorMod(Arithmetic.integer(value), 2) == 1);
        on(checks, "even", value -> Math.floorMod(Arithmetic.integer(value), 2) == 0);
        on(checks, "lower", value -> isCased(value, Character::isUpperCase, Character::isLowerCase));
        on(checks, "upper", value -> isCased(value, Character::isLowerCase, Character::isUpperCase));
        on(checks, "escaped", _ -> false);
        checks.put("divisibleby", (_, args) -> {
            Value rest = Arithmetic.compute("%", args.required(0, "value"), args.required(1, "num"));
            return Arithmetic.real(rest) == 0;
        });
        checks.put("sameas", (context, args) -> isSame(context, args.required(0, "value"), args.required(1, "other")));
        checks.put(
                "filter",
                (_, args) -> args.required(0, "value") instanceof Text name && Filters.ALL.containsKey(name.chars()));
        checks.put("test", (_, args) -> args.required(0, "value") instanceof Text name && isTest(name.chars()));
        comparison(checks, "==", "eq", "equalto");
        comparison(checks, "!=", "ne");
        comparison(checks, "<", "lt", "lessthan");
        comparison(checks, "<=", "le");
        comparison(checks, ">", "gt", "greaterthan");
        comparison(checks, ">=", "ge");
        comparison(checks, "in", "in");
        return Map.copyOf(checks);
    }

    private static boolean isTest(String name) {
        return ALL.containsKey(name);
    }

    private static void kinds(Map<String, Check> checks) {
        on(checks, "defined", value -> !(value instanceof Value.Undefined));
        on(checks, "undefined", value -> value instanceof Value.Undefined);
        on(checks, "none", value -> value instanceof Value.None);
        on(checks, "boolean", value -> value instanceof Value.Bool);
        on(checks, "integer", value -> value instanceof Value.Int);
        on(checks, "float", value -> value instanceof Value.Real);
        on(checks, "number", Arithmetic::isNumber);
        on(checks, "string", value -> value instanceof Text);
        on(checks, "mapping", value -> value instanceof Value.Dict);
        on(checks, "callable", value -> value instanceof Value.Function);
        on(checks, "iterable", Tests::isIterable);
        on(
                checks,
                "sequence",
                value -> isIterable(value)
                        && !(value instanceof Value.Seq seq && seq.kind() == Value.Seq.Kind.ITERATOR));
    }

    private static void on(Map<String, Check> checks, String name, Predicate<Value> predicate) {
        checks.put(name, (_, args) -> predicate.test(args.required(0, "value")));
    }

    private static void comparison(Map<String, Check> checks, String operator, String... names) {
        Check check = (context, args) ->
                new Operators(context).compare(operator, args.required(0, "value"), args.required(1, "other"));
        for (String name : names) {
            checks.put(name, check);
        }
        checks.put(operator, check);
    }

    private static boolean isIterable(Value value) {
        return value instanceof Text
                || value instanceof Value.Seq
                || value instanceof Value.Dict
                || value instanceof Value.Undefined;
    }

    /** Scalars by value and type; of anything else there is no second reference to compare. */
    private static boolean isSame(Context context, Value left, Value right) {
        return left.getClass() == right.getClass()
                && !(left instanceof Value.Seq)
                && !(left instanceof Value.Dict)
                && Operators.equal(context.budget, left, right);
    }

    private static boolean isCased(Value value, IntPredicate forbidden, IntPredicate needed) {
        String chars = value instanceof Text text ? text.chars() : "";
        return chars.codePoints().noneMatch(forbidden) && chars.codePoints().anyMatch(needed);
    }
}

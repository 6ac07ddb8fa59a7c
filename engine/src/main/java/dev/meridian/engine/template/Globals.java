package dev.meridian.engine.template;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The functions that every template has. */
final class Globals {
    static final Map<String, Value.Function> ALL = Map.of(
            "range", new Value.Function("range", Globals::range),
            "namespace", new Value.Function("namespace", (_, args) -> new Value.Namespace(entries(args))),
            "dict", new Value.Function("dict", Globals::dict),
            "raise_exception", new Value.Function("raise_exception", Globals::raise),
            "strftime_now", new Value.Function("strftime_now", Globals::now));

    private Globals() {}

    private static Value range(Context context, Args args) {
        List<Value> bounds = args.rest(0);
        long[] numbers = bounds.stream().mapToLong(Arithmetic::integer).toArray();
        try {
            Value.RangeList range = switch (numbers.length) {
                case 1 -> new Value.RangeList(0, numbers[0], 1);
                case 2 -> new Value.RangeList(numbers[0], numbers[1], 1);
                case 3 -> new Value.RangeList(numbers[0], numbers[1], numbers[2]);
                default -> throw new TemplateException("range() takes 1 to 3 arguments");
            };
            // The sandbox of Jinja has the same bound.
            if (range.size() > 100_000) {
                throw new TemplateException("range too big: more than 100000 numbers");
            }
            return new Value.Seq(range, Value.Seq.Kind.RANGE);
        } catch (ArithmeticException e) {
            throw new TemplateException("range too big");
        }
    }

    private static Value dict(Context context, Args args) {
        Map<Value, Value> entries = new LinkedHashMap<>();
        entries(args).forEach((name, value) -> entries.put(Text.plain(name), value));
        return new Value.Dict(entries);
    }

    /** Entries of an optional dictionary, and then the named arguments. */
    private static Map<String, Value> entries(Args args) {
        Map<String, Value> entries = new LinkedHashMap<>();
        for (Value source : args.rest(0)) {
            if (!(source instanceof Value.Dict dict)) {
                throw new TemplateException("expected a dict, got " + Sequences.typeName(source));
            }
            dict.entries().forEach((key, value) -> {
                if (!(key instanceof Text name)) {
                    throw new TemplateException("keys must be strings");
                }
                entries.put(name.chars(), value);
            });
        }
        entries.putAll(args.allNamed());
        return entries;
    }

    private static Value raise(Context context, Args args) {
        throw new TemplateException(context.string(args.required(0, "message")).chars());
    }

    private static Value now(Context context, Args args) {
        Text format = context.string(args.required(0, "format"));
        return Text.plain(Strftime.format(format.chars(), context.input.clock()));
    }
}

package dev.meridian.engine.template;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@code value.name} and {@code value[index]}: in Jinja both look at attributes and at items, in a different order. */
final class Attributes {
    private Attributes() {}

    static Value attribute(Value target, String name) {
        if (target instanceof Value.Undefined(String reason)) {
            throw new TemplateException(reason);
        }
        Value own = own(target, name);
        if (!(own instanceof Value.Undefined)) {
            return own;
        }
        return target instanceof Value.Dict dict ? dict.entries().getOrDefault(Text.plain(name), own) : own;
    }

    static Value subscript(Budget budget, Value target, Value index) {
        Value missing = new Value.Undefined(Sequences.typeName(target) + " object has no such element");
        return switch (target) {
            case Value.Undefined(String reason) -> throw new TemplateException(reason);
            case Value.Dict dict -> item(dict, index);
            case Value.Seq seq
            when Arithmetic.isInteger(index) && seq.kind() != Value.Seq.Kind.ITERATOR -> {
                long at = fromStart(Arithmetic.integer(index), seq.items().size());
                yield at < 0 ? missing : seq.items().get((int) at);
            }
            case Text text
            when Arithmetic.isInteger(index) -> {
                // Finding a code point walks the text.
                budget.charge(text.length() / 64);
                long at = fromStart(Arithmetic.integer(index), text.codePoints());
                yield at < 0 ? missing : character(text, (int) at);
            }
            default -> index instanceof Text name ? own(target, name.chars()) : missing;
        };
    }

    private static Value item(Value.Dict dict, Value index) {
        if (index instanceof Value.Seq || index instanceof Value.Dict) {
            return new Value.Undefined("'dict object' has no such element");
        }
        Value found = dict.entries().get(Operators.hashable(index));
        if (found != null) {
            return found;
        }
        return index instanceof Text name
                ? own(dict, name.chars())
                : new Value.Undefined("'dict object' has no such element");
    }

    /** The index counted from the start, or -1 where there is no such element. */
    private static long fromStart(long index, int size) {
        long at = index < 0 ? index + size : index;
        return at < size ? Math.max(at, -1) : -1;
    }

    private static Text character(Text text, int index) {
        int from = text.offsetOf(index);
        return text.slice(from, from + Character.charCount(text.chars().codePointAt(from)));
    }

    /** Methods and fields, without items. */
    private static Value own(Value target, String name) {
        Value missing =
                new Value.Undefined("'" + Sequences.typeName(target) + " object' has no attribute '" + name + "'");
        return switch (target) {
            case Loop loop -> loop.attribute(name);
            case Value.Namespace namespace -> namespace.attributes.getOrDefault(name, missing);
            case Text text -> method(StringMethods.ALL.get(name), name, text, missing);
            case Value.Dict dict -> method(CollectionMethods.OF_DICTS.get(name), name, dict, missing);
            case Value.Seq(List<Value> _, Value.Seq.Kind kind) ->
                kind == Value.Seq.Kind.ITERATOR
                        ? missing
                        : method(CollectionMethods.OF_SEQUENCES.get(name), name, target, missing);
            case Value.Function function when name.equals("name") -> Text.plain(function.name);
            default -> missing;
        };
    }

    private static Value method(@Nullable Builtin method, String name, Value self, Value missing) {
        return method == null
                ? missing
                : new Value.Function(name, (context, args) -> {
                    Args all = args.withFirst(self);
                    Value result = method.call(context, all);
                    all.checkConsumed();
                    args.rest(0);
                    args.allNamed();
                    return result;
                });
    }
}

package dev.meridian.engine.template;

import java.util.List;

/** What can be walked, and how values are called in errors. */
final class Sequences {
    private Sequences() {}

    /** Python's {@code iter}: characters of a string, keys of a dictionary, nothing for an undefined value. */
    static List<Value> items(Value value) {
        return switch (value) {
            case Value.Seq(List<Value> items, Value.Seq.Kind _) -> items;
            case Text text -> new CharacterList(text);
            case Value.Dict dict -> List.copyOf(dict.entries().keySet());
            case Value.Undefined _ -> List.of();
            default -> throw new TemplateException(typeName(value) + " is not iterable");
        };
    }

    static long length(Value value) {
        return switch (value) {
            case Text text -> text.codePoints();
            case Value.Seq(List<Value> items, Value.Seq.Kind kind) when kind != Value.Seq.Kind.ITERATOR -> items.size();
            case Value.Dict dict -> dict.entries().size();
            case Value.Undefined _ -> 0;
            default -> throw new TemplateException("object of type " + typeName(value) + " has no length");
        };
    }

    /** Python's name of the value's type. */
    static String typeName(Value value) {
        return switch (value) {
            case Text _ -> "str";
            case Value.Int _ -> "int";
            case Value.Real _ -> "float";
            case Value.Bool _ -> "bool";
            case Value.None _ -> "NoneType";
            case Value.Undefined _ -> "Undefined";
            case Value.Seq(List<Value> _, Value.Seq.Kind kind) ->
                switch (kind) {
                    case LIST -> "list";
                    case TUPLE -> "tuple";
                    case RANGE -> "range";
                    case ITERATOR -> "generator";
                };
            case Value.Dict _ -> "dict";
            case Value.Namespace _ -> "namespace";
            case Value.Function _ -> "function";
            case Loop _ -> "loop";
        };
    }
}

package dev.meridian.engine.template;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Turns plain Java values of a request into template values whose strings are marked as data. */
final class Inputs {
    private static final int MAX_DEPTH = 64;

    private Inputs() {}

    static Value data(@Nullable Object value) {
        return convert(value, 0);
    }

    private static Value convert(@Nullable Object value, int depth) {
        if (depth > MAX_DEPTH) {
            throw new TemplateException("an input is nested deeper than " + MAX_DEPTH);
        }
        return switch (value) {
            case null -> Value.None.NONE;
            case String s -> Text.data(s);
            case Boolean b -> Value.Bool.of(b);
            case Integer i -> new Value.Int(i);
            case Long l -> new Value.Int(l);
            case Float f -> new Value.Real(f);
            case Double d -> new Value.Real(d);
            case List<?> list -> list(list, depth);
            case Map<?, ?> map -> dict(map, depth);
            default ->
                throw new TemplateException(
                        "an input of type " + value.getClass().getSimpleName());
        };
    }

    private static Value list(List<?> list, int depth) {
        List<Value> items = new ArrayList<>(list.size());
        for (Object item : list) {
            items.add(convert(item, depth + 1));
        }
        return Value.Seq.list(items);
    }

    private static Value dict(Map<?, ?> map, int depth) {
        Map<Value, Value> entries = new LinkedHashMap<>();
        map.forEach((key, value) -> {
            boolean role = "role".equals(key) && value instanceof String name && isPlainName(name);
            Value converted = role ? Text.plain((String) value) : convert(value, depth + 1);
            entries.put(Text.data(String.valueOf(key)), converted);
        });
        return new Value.Dict(entries);
    }

    /** A name that cannot hold a special token. */
    private static boolean isPlainName(String name) {
        return !name.isEmpty() && name.chars().allMatch(c -> c >= 'a' && c <= 'z');
    }
}

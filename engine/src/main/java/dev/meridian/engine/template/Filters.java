package dev.meridian.engine.template;

import java.util.HashMap;
import java.util.Map;

/** All filters by name. A filter's first argument is its input. */
final class Filters {
    static final Map<String, Builtin> ALL = all();

    private Filters() {}

    private static Map<String, Builtin> all() {
        Map<String, Builtin> filters = new HashMap<>();
        TextFilters.register(filters);
        ListFilters.register(filters);
        NumberFilters.register(filters);
        filters.put("tojson", Json::toJson);
        filters.put("default", Filters::fallback);
        filters.put("d", Filters::fallback);
        filters.put("attr", (_, args) -> attr(args.required(0, "value"), args.required(1, "name")));
        return Map.copyOf(filters);
    }

    private static Value fallback(Context context, Args args) {
        Value value = args.required(0, "value");
        Value other = args.optional(1, "default_value", Text.EMPTY);
        boolean alsoFalse = Operators.truth(args.optional(2, "boolean", Value.Bool.FALSE));
        return value instanceof Value.Undefined || (alsoFalse && !Operators.truth(value)) ? other : value;
    }

    /** Attributes only, never items. */
    private static Value attr(Value value, Value name) {
        if (!(name instanceof Text text)) {
            throw new TemplateException("an attribute's name is a string");
        }
        Value target = value instanceof Value.Dict ? Value.None.NONE : value;
        return Attributes.attribute(target, text.chars());
    }
}

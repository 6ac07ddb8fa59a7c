package dev.meridian.engine.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Methods of dictionaries, lists and tuples; none of them changes anything. The first argument is the object itself. */
final class CollectionMethods {
    static final Map<String, Builtin> OF_DICTS = Map.of(
            "get", (_, args) -> get(self(args), args),
            "keys",
                    (context, args) ->
                            view(context, List.copyOf(self(args).entries().keySet())),
            "values",
                    (context, args) ->
                            view(context, List.copyOf(self(args).entries().values())),
            "items", (context, args) -> view(context, items(self(args))));

    static final Map<String, Builtin> OF_SEQUENCES =
            Map.of("index", CollectionMethods::index, "count", CollectionMethods::count);

    private CollectionMethods() {}

    private static Value.Dict self(Args args) {
        return (Value.Dict) args.required(0, "self");
    }

    private static Value get(Value.Dict dict, Args args) {
        Value key = Operators.hashable(args.required(1, "key"));
        return dict.entries().getOrDefault(key, args.optional(2, "default", Value.None.NONE));
    }

    private static Value view(Context context, List<Value> items) {
        context.budget.charge(items.size());
        // A view has a length, cannot be indexed and is rarely printed; a list is the nearest kind here.
        return Value.Seq.list(items);
    }

    static List<Value> items(Value.Dict dict) {
        List<Value> pairs = new ArrayList<>(dict.entries().size());
        dict.entries().forEach((key, value) -> pairs.add(Value.Seq.tuple(List.of(key, value))));
        return pairs;
    }

    private static Value index(Context context, Args args) {
        Value wanted = args.required(1, "value");
        List<Value> items = context.items(args.required(0, "self"));
        for (int i = 0; i < items.size(); i++) {
            if (Operators.equal(context.budget, items.get(i), wanted)) {
                return new Value.Int(i);
            }
        }
        throw new TemplateException("the value is not in the list");
    }

    private static Value count(Context context, Args args) {
        Value wanted = args.required(1, "value");
        long count = 0;
        for (Value item : context.items(args.required(0, "self"))) {
            count += Operators.equal(context.budget, item, wanted) ? 1 : 0;
        }
        return new Value.Int(count);
    }
}

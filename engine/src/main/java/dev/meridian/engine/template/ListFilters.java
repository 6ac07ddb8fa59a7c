package dev.meridian.engine.template;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/** Filters over sequences and mappings. What is lazy in Jinja is made at once here; it prints as an error there too. */
final class ListFilters {
    private ListFilters() {}

    static void register(Map<String, Builtin> filters) {
        filters.put("length", ListFilters::length);
        filters.put("count", ListFilters::length);
        filters.put("list", (context, args) -> Value.Seq.list(copy(context, args)));
        filters.put("first", (context, args) -> end(context.items(args.required(0, "seq")), true));
        filters.put("last", (context, args) -> end(context.items(args.required(0, "seq")), false));
        filters.put("reverse", ListFilters::reverse);
        filters.put("items", ListFilters::items);
        filters.put("dictsort", ListFilters::dictSort);
        filters.put("sort", ListFilters::sort);
        filters.put("unique", ListFilters::unique);
        filters.put("min", (context, args) -> extreme(context, args, false));
        filters.put("max", (context, args) -> extreme(context, args, true));
        filters.put("map", ListFilters::map);
        filters.put("select", (context, args) -> choose(context, args, false, true));
        filters.put("reject", (context, args) -> choose(context, args, false, false));
        filters.put("selectattr", (context, args) -> choose(context, args, true, true));
        filters.put("rejectattr", (context, args) -> choose(context, args, true, false));
        filters.put("batch", ListFilters::batch);
    }

    private static Value length(Context context, Args args) {
        Value value = args.required(0, "obj");
        if (value instanceof Text text) {
            context.budget.charge(text.length() / 64);
        }
        return new Value.Int(Sequences.length(value));
    }

    private static List<Value> copy(Context context, Args args) {
        return new ArrayList<>(context.items(args.required(0, "value")));
    }

    private static Value end(List<Value> items, boolean first) {
        if (items.isEmpty()) {
            return new Value.Undefined("no " + (first ? "first" : "last") + " item, sequence was empty");
        }
        return first ? items.getFirst() : items.getLast();
    }

    private static Value reverse(Context context, Args args) {
        Value value = args.required(0, "value");
        if (value instanceof Text text) {
            return Slices.slice(context.budget, text, Value.None.NONE, Value.None.NONE, new Value.Int(-1));
        }
        List<Value> items = new ArrayList<>(context.items(value));
        Collections.reverse(items);
        return Value.Seq.iterator(items);
    }

    private static Value items(Context context, Args args) {
        return switch (args.required(0, "value")) {
            case Value.Undefined _ -> Value.Seq.iterator(List.of());
            case Value.Dict dict -> {
                context.budget.charge(dict.entries().size());
                yield Value.Seq.iterator(CollectionMethods.items(dict));
            }
            default -> throw new TemplateException("can only get item pairs from a mapping");
        };
    }

    /** The value at a dotted path of names and indices; the value itself where the path is none. */
    static Value path(Context context, Value value, Value path) {
        if (path instanceof Value.None) {
            return value;
        }
        if (!(path instanceof Text text)) {
            return Attributes.subscript(context.budget, value, path);
        }
        Value found = value;
        for (String name : text.chars().split("\\.", -1)) {
            context.budget.charge(1);
            boolean index =
                    !name.isEmpty() && name.length() < 10 && name.chars().allMatch(c -> c >= '0' && c <= '9');
            found = Attributes.subscript(
                    context.budget, found, index ? new Value.Int(Long.parseLong(name)) : Text.plain(name));
        }
        return found;
    }

    private static Function<Value, Value> key(Context context, Value attribute, boolean caseSensitive) {
        return item -> {
            Value key = path(context, item, attribute);
            return !caseSensitive && key instanceof Text text ? Casing.lower(context, text) : key;
        };
    }

    private static void sort(Context context, List<Value> items, Function<Value, Value> key, boolean reverse) {
        record Keyed(Value key, Value item) {}
        List<Keyed> keyed = new ArrayList<>(items.size());
        items.forEach(item -> keyed.add(new Keyed(key.apply(item), item)));
        Comparator<Keyed> order = (a, b) -> {
            context.budget.charge(1);
            return Operators.order(context.budget, a.key(), b.key());
        };
        keyed.sort(reverse ? order.reversed() : order);
        items.clear();
        keyed.forEach(entry -> items.add(entry.item()));
    }

    private static Value sort(Context context, Args args) {
        List<Value> items = copy(context, args);
        boolean reverse = Operators.truth(args.optional(1, "reverse", Value.Bool.FALSE));
        boolean caseSensitive = Operators.truth(args.optional(2, "case_sensitive", Value.Bool.FALSE));
        Value attribute = args.optional(3, "attribute", Value.None.NONE);
        if (attribute instanceof Text text && text.chars().contains(",")) {
            throw new TemplateException("sorting by several attributes is not supported");
        }
        sort(context, items, key(context, attribute, caseSensitive), reverse);
        return Value.Seq.list(items);
    }

    private static Value dictSort(Context context, Args args) {
        if (!(args.required(0, "value") instanceof Value.Dict dict)) {
            throw new TemplateException("dictsort needs a mapping");
        }
        boolean caseSensitive = Operators.truth(args.optional(1, "case_sensitive", Value.Bool.FALSE));
        String by = context.string(args.optional(2, "by", Text.plain("key"))).chars();
        boolean reverse = Operators.truth(args.optional(3, "reverse", Value.Bool.FALSE));
        if (!by.equals("key") && !by.equals("value")) {
            throw new TemplateException("You can only sort by either \"key\" or \"value\"");
        }
        context.budget.charge(dict.entries().size());
        List<Value> pairs = CollectionMethods.items(dict);
        sort(context, pairs, key(context, new Value.Int(by.equals("key") ? 0 : 1), caseSensitive), reverse);
        return Value.Seq.list(pairs);
    }

    private static Value unique(Context context, Args args) {
        List<Value> items = copy(context, args);
        boolean caseSensitive = Operators.truth(args.optional(1, "case_sensitive", Value.Bool.FALSE));
        Function<Value, Value> key = key(context, args.optional(2, "attribute", Value.None.NONE), caseSensitive);
        Set<Value> seen = new HashSet<>();
        items.removeIf(item -> {
            Value unique = Operators.hashable(key.apply(item));
            return !seen.add(unique instanceof Value.Bool ? new Value.Int(Arithmetic.integer(unique)) : unique);
        });
        return Value.Seq.iterator(items);
    }

    private static Value extreme(Context context, Args args, boolean largest) {
        List<Value> items = copy(context, args);
        boolean caseSensitive = Operators.truth(args.optional(1, "case_sensitive", Value.Bool.FALSE));
        Function<Value, Value> key = key(context, args.optional(2, "attribute", Value.None.NONE), caseSensitive);
        if (items.isEmpty()) {
            return new Value.Undefined("no aggregated item, sequence was empty");
        }
        Value best = items.getFirst();
        for (Value item : items) {
            int order = Operators.order(context.budget, key.apply(item), key.apply(best));
            best = largest ? order > 0 ? item : best : order < 0 ? item : best;
        }
        return best;
    }

    private static Value map(Context context, Args args) {
        List<Value> items = copy(context, args);
        List<Value> mapped = new ArrayList<>(items.size());
        if (args.positional.size() == 1 && args.named.containsKey("attribute")) {
            Value attribute = args.optional(1, "attribute", Value.None.NONE);
            Value fallback = args.optional(2, "default", Value.None.NONE);
            for (Value item : items) {
                Value found = path(context, item, attribute);
                mapped.add(found instanceof Value.Undefined && args.has(2, "default") ? fallback : found);
            }
            return Value.Seq.iterator(mapped);
        }
        String filter = context.string(args.required(1, "filter")).chars();
        List<Value> rest = args.rest(2);
        Map<String, Value> named = args.allNamed();
        for (Value item : items) {
            mapped.add(context.filter(filter, new Args(rest, named).withFirst(item)));
        }
        return Value.Seq.iterator(mapped);
    }

    private static Value choose(Context context, Args args, boolean byAttribute, boolean wanted) {
        List<Value> items = copy(context, args);
        int at = byAttribute ? 2 : 1;
        Value attribute = byAttribute ? args.required(1, "attribute") : Value.None.NONE;
        String test = args.positional.size() > at
                ? context.string(args.positional.get(at)).chars()
                : null;
        List<Value> rest = args.rest(at + 1);
        Map<String, Value> named = args.allNamed();
        List<Value> chosen = new ArrayList<>();
        for (Value item : items) {
            Value tested = path(context, item, attribute);
            boolean holds = test == null
                    ? Operators.truth(tested)
                    : context.test(test, new Args(rest, named).withFirst(tested));
            if (holds == wanted) {
                chosen.add(item);
            }
        }
        return Value.Seq.iterator(chosen);
    }

    private static Value batch(Context context, Args args) {
        List<Value> items = copy(context, args);
        int size = Arithmetic.smallInteger(args.required(1, "linecount"));
        Value fill = args.optional(2, "fill_with", Value.None.NONE);
        if (size <= 0) {
            throw new TemplateException("batches have at least one item");
        }
        List<Value> batches = new ArrayList<>();
        for (int from = 0; from < items.size(); from += Math.min(size, items.size() - from)) {
            List<Value> batch = new ArrayList<>(items.subList(from, from + Math.min(size, items.size() - from)));
            int missing = fill instanceof Value.None ? 0 : size - batch.size();
            context.budget.charge(missing);
            batch.addAll(Collections.nCopies(missing, fill));
            batches.add(Value.Seq.list(batch));
        }
        return Value.Seq.iterator(batches);
    }
}

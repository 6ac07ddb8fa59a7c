package dev.meridian.engine.template;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/** Methods of strings. The first argument is the string itself. */
final class StringMethods {
    static final Map<String, Builtin> ALL = all();

    private StringMethods() {}

    private static Map<String, Builtin> all() {
        Map<String, Builtin> methods = new HashMap<>();
        methods.put("strip", (context, args) -> strip(context, args, true, true));
        methods.put("lstrip", (context, args) -> strip(context, args, true, false));
        methods.put("rstrip", (context, args) -> strip(context, args, false, true));
        methods.put("upper", (context, args) -> Casing.upper(context, self(args)));
        methods.put("lower", (context, args) -> Casing.lower(context, self(args)));
        methods.put("title", (context, args) -> Casing.title(context, self(args)));
        methods.put("capitalize", (context, args) -> Casing.capitalize(context, self(args)));
        methods.put("startswith", (context, args) -> affix(context, args, String::startsWith));
        methods.put("endswith", (context, args) -> affix(context, args, String::endsWith));
        methods.put("removeprefix", (context, args) -> remove(context, args, true));
        methods.put("removesuffix", (context, args) -> remove(context, args, false));
        methods.put("split", Splits::split);
        methods.put("rsplit", Splits::rsplit);
        methods.put("splitlines", Splits::lines);
        methods.put("partition", Splits::partition);
        methods.put("rpartition", Splits::rpartition);
        methods.put(
                "replace",
                (context, args) -> replace(
                        context,
                        self(args),
                        text(args, 1, "old"),
                        text(args, 2, "new"),
                        args.optional(3, "count", new Value.Int(-1))));
        methods.put("join", (context, args) -> join(context, self(args), context.items(args.required(1, "iterable"))));
        methods.put("format", Formats::braces);
        methods.put("find", (context, args) -> new Value.Int(find(context, args, false)));
        methods.put("rfind", (context, args) -> new Value.Int(find(context, args, true)));
        methods.put("index", (context, args) -> index(find(context, args, false)));
        methods.put("rindex", (context, args) -> index(find(context, args, true)));
        methods.put("count", StringMethods::count);
        methods.put("isdigit", (context, args) -> all(context, args, Character::isDigit));
        methods.put("isalpha", (context, args) -> all(context, args, Character::isLetter));
        methods.put("isalnum", (context, args) -> all(context, args, Character::isLetterOrDigit));
        methods.put("isspace", (context, args) -> all(context, args, Characters::isSpace));
        methods.put("islower", (context, args) -> Value.Bool.of(context.test("lower", Args.of(self(args)))));
        methods.put("isupper", (context, args) -> Value.Bool.of(context.test("upper", Args.of(self(args)))));
        return Map.copyOf(methods);
    }

    static Text self(Args args) {
        return text(args, 0, "self");
    }

    static Text text(Args args, int index, String name) {
        if (!(args.required(index, name) instanceof Text text)) {
            throw new TemplateException("argument '" + name + "' must be a string");
        }
        return text;
    }

    private static Text strip(Context context, Args args, boolean left, boolean right) {
        Value chars = args.optional(1, "chars", Value.None.NONE);
        if (!(chars instanceof Text) && !(chars instanceof Value.None)) {
            throw new TemplateException("strip arg must be None or str");
        }
        return strip(context, self(args), chars instanceof Text text ? text.chars() : null, left, right);
    }

    /** Without {@code chars} white space is stripped. */
    static Text strip(Context context, Text text, @Nullable String chars, boolean left, boolean right) {
        context.budget.chargeText(text.length());
        IntPredicate drop = chars == null ? Characters::isSpace : c -> chars.indexOf(c) >= 0;
        String all = text.chars();
        int from = 0;
        int to = all.length();
        while (left && from < to && drop.test(all.codePointAt(from))) {
            from += Character.charCount(all.codePointAt(from));
        }
        while (right && to > from && drop.test(all.codePointBefore(to))) {
            to -= Character.charCount(all.codePointBefore(to));
        }
        return text.slice(from, to);
    }

    private interface Affix {
        boolean matches(String text, String affix);
    }

    private static Value affix(Context context, Args args, Affix affix) {
        String text = self(args).chars();
        Value wanted = args.required(1, "prefix");
        List<Value> candidates = wanted instanceof Value.Seq ? context.items(wanted) : List.of(wanted);
        for (Value candidate : candidates) {
            if (!(candidate instanceof Text part)) {
                throw new TemplateException("startswith and endswith take a string or a tuple of strings");
            }
            if (affix.matches(text, part.chars())) {
                return Value.Bool.TRUE;
            }
        }
        return Value.Bool.FALSE;
    }

    private static Text remove(Context context, Args args, boolean prefix) {
        Text text = self(args);
        String part = text(args, 1, "affix").chars();
        context.budget.chargeText(text.length());
        if (prefix && text.chars().startsWith(part)) {
            return text.slice(part.length(), text.length());
        }
        return !prefix && text.chars().endsWith(part) ? text.slice(0, text.length() - part.length()) : text;
    }

    static Text replace(Context context, Text text, Text old, Text by, Value count) {
        long left = count instanceof Value.None ? -1 : Arithmetic.integer(count);
        Text.Builder out = new Text.Builder();
        String chars = text.chars();
        int at = 0;
        // An empty pattern matches before every character and at the end.
        int found = left == 0 ? -1 : chars.indexOf(old.chars());
        while (found >= 0 && left != 0) {
            context.budget.charge(1 + by.length() / 16);
            context.budget.checkSize((long) out.length() + by.length());
            out.append(text, at, found).append(by);
            at = found + old.length();
            left--;
            int next = old.isEmpty() ? found + charCount(chars, found) : at;
            found = next > chars.length() ? -1 : chars.indexOf(old.chars(), next);
        }
        out.append(text, at, chars.length());
        context.budget.chargeText((long) out.length() + chars.length());
        return out.build();
    }

    private static int charCount(String chars, int at) {
        return at < chars.length() ? Character.charCount(chars.codePointAt(at)) : 1;
    }

    static Text join(Context context, Text separator, List<Value> items) {
        Text.Builder out = new Text.Builder();
        boolean first = true;
        for (Value item : items) {
            if (!(item instanceof Text piece)) {
                throw new TemplateException(
                        "sequence item: expected str instance, " + Sequences.typeName(item) + " found");
            }
            context.budget.checkSize((long) out.length() + separator.length() + piece.length());
            context.budget.charge(1 + (separator.length() + piece.length()) / 16);
            out.append(first ? Text.EMPTY : separator).append(piece);
            first = false;
        }
        return out.build();
    }

    private static int find(Context context, Args args, boolean last) {
        Text text = self(args);
        String part = text(args, 1, "sub").chars();
        context.budget.charge(1 + text.length() / 16);
        int start = text.offsetOf(position(args.optional(2, "start", Value.None.NONE), 0, text.codePoints()));
        int end =
                text.offsetOf(position(args.optional(3, "end", Value.None.NONE), text.codePoints(), text.codePoints()));
        if (start > end) {
            return -1;
        }
        String window = text.chars().substring(start, end);
        int found = last ? window.lastIndexOf(part) : window.indexOf(part);
        return found < 0 ? -1 : text.chars().codePointCount(0, start + found);
    }

    private static int position(Value value, int fallback, int size) {
        if (value instanceof Value.None) {
            return fallback;
        }
        long index = Arithmetic.integer(value);
        return Math.clamp(index < 0 ? index + size : index, 0, size);
    }

    private static Value index(int found) {
        if (found < 0) {
            throw new TemplateException("substring not found");
        }
        return new Value.Int(found);
    }

    private static Value count(Context context, Args args) {
        Text text = self(args);
        String part = text(args, 1, "sub").chars();
        context.budget.charge(1 + text.length() / 16);
        if (part.isEmpty()) {
            return new Value.Int(text.codePoints() + 1L);
        }
        long count = 0;
        for (int at = text.chars().indexOf(part); at >= 0; at = text.chars().indexOf(part, at + part.length())) {
            count++;
        }
        return new Value.Int(count);
    }

    private static Value all(Context context, Args args, IntPredicate predicate) {
        Text text = self(args);
        context.budget.charge(1 + text.length() / 16);
        return Value.Bool.of(!text.isEmpty() && text.chars().codePoints().allMatch(predicate));
    }
}

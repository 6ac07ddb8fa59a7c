package dev.meridian.engine.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;

/** Filters that make strings. */
final class TextFilters {
    private TextFilters() {}

    static void register(Map<String, Builtin> filters) {
        onText(filters, "string", (_, text) -> text);
        onText(filters, "safe", (_, text) -> text);
        onText(filters, "upper", Casing::upper);
        onText(filters, "lower", Casing::lower);
        onText(filters, "title", Casing::titleFilter);
        onText(filters, "capitalize", Casing::capitalize);
        onText(filters, "escape", TextFilters::escape);
        onText(filters, "e", TextFilters::escape);
        onText(filters, "wordcount", TextFilters::wordCount);
        filters.put("trim", TextFilters::trim);
        filters.put("replace", TextFilters::replace);
        filters.put("join", TextFilters::join);
        filters.put("indent", TextFilters::indent);
        filters.put("format", (context, args) -> {
            Text format = context.string(args.required(0, "value"));
            return PercentFormat.format(context, format, args.rest(1));
        });
        filters.put("center", TextFilters::center);
    }

    private static void onText(Map<String, Builtin> filters, String name, BiFunction<Context, Text, Value> filter) {
        filters.put(name, (context, args) -> filter.apply(context, context.string(args.required(0, "s"))));
    }

    private static Value trim(Context context, Args args) {
        Text text = context.string(args.required(0, "value"));
        Value chars = args.optional(1, "chars", Value.None.NONE);
        return StringMethods.strip(context, text, chars instanceof Text set ? set.chars() : null, true, true);
    }

    private static Value replace(Context context, Args args) {
        Text text = context.string(args.required(0, "s"));
        Text old = context.string(args.required(1, "old"));
        Text by = context.string(args.required(2, "new"));
        return StringMethods.replace(context, text, old, by, args.optional(3, "count", Value.None.NONE));
    }

    private static Value join(Context context, Args args) {
        List<Value> pieces = new ArrayList<>();
        Value separator = args.optional(1, "d", Text.EMPTY);
        Value attribute = args.optional(2, "attribute", Value.None.NONE);
        for (Value item : context.items(args.required(0, "value"))) {
            pieces.add(context.string(ListFilters.path(context, item, attribute)));
        }
        return StringMethods.join(context, context.string(separator), pieces);
    }

    private static Value escape(Context context, Text text) {
        Text.Builder out = new Text.Builder();
        for (int at = 0; at < text.length(); at++) {
            String entity = switch (text.chars().charAt(at)) {
                case '&' -> "&amp;";
                case '<' -> "&lt;";
                case '>' -> "&gt;";
                case '"' -> "&#34;";
                case '\'' -> "&#39;";
                default -> "";
            };
            if (entity.isEmpty()) {
                out.append(text, at, at + 1);
            } else {
                out.append(entity, text.isData(at));
            }
        }
        context.budget.chargeText(out.length());
        return out.build();
    }

    private static Value wordCount(Context context, Text text) {
        context.budget.chargeText(text.length());
        long words = 0;
        boolean inside = false;
        for (int at = 0; at < text.length(); at++) {
            char c = text.chars().charAt(at);
            boolean word = Character.isLetterOrDigit(c) || c == '_' || Character.isSurrogate(c);
            words += word && !inside ? 1 : 0;
            inside = word;
        }
        return new Value.Int(words);
    }

    private static Value indent(Context context, Args args) {
        Text text = StringMethods.text(args, 0, "s");
        Value width = args.optional(1, "width", new Value.Int(4));
        boolean first = Operators.truth(args.optional(2, "first", Value.Bool.FALSE));
        boolean blank = Operators.truth(args.optional(3, "blank", Value.Bool.FALSE));
        Text margin = width instanceof Text given ? given : spaces(context, Arithmetic.integer(width));
        List<Value> lines =
                Splits.lines(new Text.Builder().append(text).append("\n").build(), false);
        Text.Builder out = new Text.Builder();
        for (int i = 0; i < lines.size(); i++) {
            Text line = (Text) lines.get(i);
            boolean indented = i == 0 ? first : blank || !line.isEmpty();
            context.budget.checkSize((long) out.length() + margin.length() + line.length());
            context.budget.charge(1 + (margin.length() + line.length()) / 16);
            out.append(i == 0 ? "" : "\n")
                    .append(indented ? margin : Text.EMPTY)
                    .append(line);
        }
        return out.build();
    }

    private static Value center(Context context, Args args) {
        Text text = context.string(args.required(0, "value"));
        long missing = Arithmetic.integer(args.optional(1, "width", new Value.Int(80))) - text.codePoints();
        if (missing <= 0) {
            return text;
        }
        // Python puts the odd blank to the left where the width is odd.
        long left = missing / 2 + (missing & (missing + text.codePoints()) & 1);
        return new Text.Builder()
                .append(spaces(context, left))
                .append(text)
                .append(spaces(context, missing - left))
                .build();
    }

    private static Text spaces(Context context, long count) {
        context.budget.chargeText(Math.max(0, count));
        return Text.plain(" ".repeat((int) Math.max(0, count)));
    }
}

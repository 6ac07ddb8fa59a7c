package dev.meridian.engine.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The filter {@code tojson} as transformers defines it: Python's {@code json.dumps} with {@code ensure_ascii=False},
 * without Jinja's HTML escapes. Characters keep their origin.
 */
final class Json {
    private final Budget budget;
    private final boolean ascii;
    private final boolean sorted;
    private final Text indent;
    private final boolean pretty;
    private final Text itemSeparator;
    private final Text keySeparator;
    private final Text.Builder out = new Text.Builder();

    private Json(Context context, Args args) {
        this.budget = context.budget;
        this.ascii = Operators.truth(args.optional(1, "ensure_ascii", Value.Bool.FALSE));
        Value wantedIndent = args.optional(2, "indent", Value.None.NONE);
        Value separators = args.optional(3, "separators", Value.None.NONE);
        this.sorted = Operators.truth(args.optional(4, "sort_keys", Value.Bool.FALSE));
        this.pretty = !(wantedIndent instanceof Value.None);
        this.indent = indent(context, wantedIndent);
        List<Value> pair = separators instanceof Value.None
                ? List.of(Text.plain(pretty ? "," : ", "), Text.plain(": "))
                : context.items(separators);
        if (pair.size() != 2) {
            throw new TemplateException("separators are two strings");
        }
        this.itemSeparator = context.string(pair.get(0));
        this.keySeparator = context.string(pair.get(1));
    }

    private static Text indent(Context context, Value wanted) {
        if (wanted instanceof Value.None) {
            return Text.EMPTY;
        }
        if (wanted instanceof Text text) {
            return text;
        }
        int width = Math.clamp(Arithmetic.integer(wanted), 0, 100);
        context.budget.chargeText(width);
        return Text.plain(" ".repeat(width));
    }

    static Value toJson(Context context, Args args) {
        Value value = args.required(0, "value");
        Json json = new Json(context, args);
        json.write(value, 1);
        return json.out.build();
    }

    private void write(Value value, int depth) {
        budget.enter();
        budget.checkSize(out.length());
        switch (value) {
            case Text text -> string(text);
            case Value.Int(long number) -> out.append(Long.toString(number));
            case Value.Real(double number) -> out.append(real(number));
            case Value.Bool bool -> out.append(bool == Value.Bool.TRUE ? "true" : "false");
            case Value.None _ -> out.append("null");
            case Value.Seq(List<Value> items, Value.Seq.Kind kind)
            when kind == Value.Seq.Kind.LIST || kind == Value.Seq.Kind.TUPLE -> list(items, depth);
            case Value.Dict dict -> dict(dict, depth);
            default ->
                throw new TemplateException(
                        "object of type " + Sequences.typeName(value) + " is not JSON serializable");
        }
        budget.leave();
    }

    private static String real(double number) {
        return Double.isNaN(number)
                ? "NaN"
                : Double.isInfinite(number) ? (number > 0 ? "Infinity" : "-Infinity") : Display.real(number);
    }

    private void list(List<Value> items, int depth) {
        out.append("[");
        boolean first = true;
        for (Value item : items) {
            separate(first, depth);
            first = false;
            write(item, depth + 1);
        }
        close(first, depth, "]");
    }

    private void dict(Value.Dict dict, int depth) {
        List<Map.Entry<Value, Value>> entries = new ArrayList<>(dict.entries().entrySet());
        if (sorted) {
            entries.sort((a, b) -> Operators.order(budget, a.getKey(), b.getKey()));
        }
        out.append("{");
        boolean first = true;
        for (Map.Entry<Value, Value> entry : entries) {
            separate(first, depth);
            first = false;
            key(entry.getKey());
            out.append(keySeparator);
            write(entry.getValue(), depth + 1);
        }
        close(first, depth, "}");
    }

    private void key(Value key) {
        switch (key) {
            case Text text -> string(text);
            case Value.Int _, Value.Real _, Value.Bool _, Value.None _ -> {
                out.append("\"");
                write(key, 0);
                out.append("\"");
            }
            default -> throw new TemplateException("keys must be str, int, float, bool or None");
        }
    }

    private void separate(boolean first, int depth) {
        if (!first) {
            out.append(itemSeparator);
        }
        newLine(depth);
    }

    private void close(boolean empty, int depth, String bracket) {
        if (!empty) {
            newLine(depth - 1);
        }
        out.append(bracket);
    }

    private void newLine(int depth) {
        if (pretty) {
            out.append("\n");
            for (int i = 0; i < depth; i++) {
                budget.checkSize((long) out.length() + indent.length());
                budget.chargeText(indent.length());
                out.append(indent);
            }
        }
    }

    private void string(Text text) {
        budget.chargeText(text.length());
        out.append("\"");
        String chars = text.chars();
        for (int at = 0; at < chars.length(); at++) {
            String escaped = escape(chars.charAt(at));
            if (escaped.isEmpty()) {
                out.append(text, at, at + 1);
            } else {
                out.append(escaped, text.isData(at));
            }
        }
        out.append("\"");
    }

    private String escape(char c) {
        return switch (c) {
            case '"' -> "\\\"";
            case '\\' -> "\\\\";
            case '\n' -> "\\n";
            case '\r' -> "\\r";
            case '\t' -> "\\t";
            case '\b' -> "\\b";
            case '\f' -> "\\f";
            default -> c < 0x20 || (ascii && c > 0x7e) ? String.format("\\u%04x", (int) c) : "";
        };
    }
}

package dev.meridian.engine.template;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** The methods of strings that cut them in pieces; the pieces' characters keep their origin. */
final class Splits {
    private Splits() {}

    /** Cuts a text in at most {@code splits + 1} words. */
    private interface Words {
        List<Value> of(Text text, long splits);
    }

    /** Cuts a text in at most {@code splits + 1} parts between separators. */
    private interface Parts {
        List<Value> of(Text text, String separator, long splits);
    }

    static Value split(Context context, Args args) {
        return split(context, args, Splits::words, Splits::parts);
    }

    static Value rsplit(Context context, Args args) {
        return split(context, args, Splits::wordsFromEnd, Splits::partsFromEnd);
    }

    private static Value split(Context context, Args args, Words words, Parts parts) {
        Text text = StringMethods.self(args);
        Value separator = args.optional(1, "sep", Value.None.NONE);
        long most = Arithmetic.integer(args.optional(2, "maxsplit", new Value.Int(-1)));
        charge(context, text);
        long splits = most < 0 ? Long.MAX_VALUE : most;
        return Value.Seq.list(
                separator instanceof Value.None
                        ? words.of(text, splits)
                        : parts.of(text, separator(separator), splits));
    }

    /** Pays for a piece every two characters; empty pieces cost no memory of their own. */
    private static void charge(Context context, Text text) {
        context.budget.chargeText(text.length());
        context.budget.charge(text.length() / 2);
    }

    private static String separator(Value value) {
        if (!(value instanceof Text text)) {
            throw new TemplateException("must be str or None, not " + Sequences.typeName(value));
        }
        if (text.isEmpty()) {
            throw new TemplateException("empty separator");
        }
        return text.chars();
    }

    private static List<Value> parts(Text text, String separator, long splits) {
        List<Value> parts = new ArrayList<>();
        int at = 0;
        for (int found = text.chars().indexOf(separator);
                found >= 0 && parts.size() < splits;
                found = text.chars().indexOf(separator, at)) {
            parts.add(text.slice(at, found));
            at = found + separator.length();
        }
        parts.add(text.slice(at, text.length()));
        return parts;
    }

    private static List<Value> partsFromEnd(Text text, String separator, long splits) {
        List<Value> parts = new ArrayList<>();
        int end = text.length();
        for (int found = text.chars().lastIndexOf(separator);
                found >= 0 && parts.size() < splits;
                found = end < separator.length() ? -1 : text.chars().lastIndexOf(separator, end - separator.length())) {
            parts.add(text.slice(found + separator.length(), end));
            end = found;
        }
        parts.add(text.slice(0, end));
        Collections.reverse(parts);
        return parts;
    }

    private static List<Value> words(Text text, long splits) {
        List<Value> words = new ArrayList<>();
        String chars = text.chars();
        int at = skip(chars, 0, true);
        while (at < chars.length()) {
            boolean last = words.size() >= splits;
            int end = last ? chars.length() : skip(chars, at, false);
            words.add(text.slice(at, end));
            at = last ? chars.length() : skip(chars, end, true);
        }
        return words;
    }

    private static List<Value> wordsFromEnd(Text text, long splits) {
        List<Value> words = new ArrayList<>();
        String chars = text.chars();
        int end = Characters.endOfStripped(chars);
        while (end > 0) {
            int from = end;
            while (from > 0 && !Characters.isSpace(chars.charAt(from - 1))) {
                from--;
            }
            if (words.size() >= splits) {
                from = 0;
            }
            words.add(text.slice(from, end));
            end = words.size() > splits ? 0 : Characters.endOfStripped(chars, from);
        }
        Collections.reverse(words);
        return words;
    }

    private static int skip(String chars, int from, boolean space) {
        int at = from;
        while (at < chars.length() && Characters.isSpace(chars.charAt(at)) == space) {
            at++;
        }
        return at;
    }

    static Value lines(Context context, Args args) {
        Text text = StringMethods.self(args);
        boolean keepEnds = Operators.truth(args.optional(1, "keepends", Value.Bool.FALSE));
        charge(context, text);
        return Value.Seq.list(lines(text, keepEnds));
    }

    static List<Value> lines(Text text, boolean keepEnds) {
        List<Value> lines = new ArrayList<>();
        String chars = text.chars();
        int from = 0;
        for (int at = 0; at < chars.length(); at++) {
            if ("\n\r\u000b\f\u001c\u001d\u001e\u0085\u2028\u2029".indexOf(chars.charAt(at)) < 0) {
                continue;
            }
            boolean pair = chars.startsWith("\r\n", at);
            int after = pair ? at + 2 : at + 1;
            lines.add(text.slice(from, keepEnds ? after : at));
            from = after;
            at = after - 1;
        }
        if (from < chars.length()) {
            lines.add(text.slice(from, chars.length()));
        }
        return lines;
    }

    static Value partition(Context context, Args args) {
        Text text = StringMethods.self(args);
        Text separator = StringMethods.text(args, 1, "sep");
        charge(context, text);
        int found = text.chars().indexOf(separator(separator));
        return found < 0 ? Value.Seq.tuple(List.of(text, Text.EMPTY, Text.EMPTY)) : around(text, separator, found);
    }

    static Value rpartition(Context context, Args args) {
        Text text = StringMethods.self(args);
        Text separator = StringMethods.text(args, 1, "sep");
        charge(context, text);
        int found = text.chars().lastIndexOf(separator(separator));
        return found < 0 ? Value.Seq.tuple(List.of(Text.EMPTY, Text.EMPTY, text)) : around(text, separator, found);
    }

    private static Value around(Text text, Text separator, int found) {
        int after = found + separator.length();
        return Value.Seq.tuple(
                List.of(text.slice(0, found), text.slice(found, after), text.slice(after, text.length())));
    }
}

package dev.meridian.engine.template;

import java.util.Locale;

/** Python's case mappings; every character keeps its origin, also where one becomes two. */
final class Casing {
    private Casing() {}

    static Text upper(Context context, Text text) {
        return mapped(context, text, false);
    }

    static Text lower(Context context, Text text) {
        return mapped(context, text, true);
    }

    private static Text mapped(Context context, Text text, boolean lower) {
        context.budget.chargeText(2L * text.length());
        String all =
                lower ? text.chars().toLowerCase(Locale.ROOT) : text.chars().toUpperCase(Locale.ROOT);
        Text.Builder out = new Text.Builder();
        if (all.length() == text.length()) {
            int at = 0;
            for (Segment run : text.segments()) {
                out.append(all.substring(at, at + run.text().length()), run.fromMessage());
                at += run.text().length();
            }
            return out.build();
        }
        for (Segment run : text.segments()) {
            String piece = run.text();
            out.append(lower ? piece.toLowerCase(Locale.ROOT) : piece.toUpperCase(Locale.ROOT), run.fromMessage());
        }
        return out.build();
    }

    static Text capitalize(Context context, Text text) {
        if (text.isEmpty()) {
            return text;
        }
        int first = Character.charCount(text.chars().codePointAt(0));
        Text.Builder out = new Text.Builder();
        appendTitled(text, 0, out);
        return out.append(lower(context, text.slice(first, text.length()))).build();
    }

    /** The method {@code str.title}: a letter after a non-letter is a title's, any other is lower case. */
    static Text title(Context context, Text text) {
        context.budget.chargeText(2L * text.length());
        Text.Builder out = new Text.Builder();
        boolean inWord = false;
        for (int at = 0; at < text.length(); ) {
            int c = text.chars().codePointAt(at);
            int next = at + Character.charCount(c);
            if (inWord) {
                out.append(Character.toString(c).toLowerCase(Locale.ROOT), text.isData(at));
            } else {
                appendTitled(text, at, out);
            }
            inWord = Character.isUpperCase(c) || Character.isLowerCase(c) || Character.isTitleCase(c);
            at = next;
        }
        return out.build();
    }

    /** The filter {@code title}, which splits words at blanks, hyphens and opening brackets only. */
    static Text titleFilter(Context context, Text text) {
        context.budget.chargeText(2L * text.length());
        Text.Builder out = new Text.Builder();
        boolean atStart = true;
        for (int at = 0; at < text.length(); ) {
            int c = text.chars().codePointAt(at);
            int next = at + Character.charCount(c);
            if (Characters.isSpace(c) || "-({[<".indexOf(c) >= 0) {
                out.append(text, at, next);
                atStart = true;
            } else {
                String mapped = Character.toString(c);
                mapped = atStart ? mapped.toUpperCase(Locale.ROOT) : mapped.toLowerCase(Locale.ROOT);
                out.append(mapped, text.isData(at));
                atStart = false;
            }
            at = next;
        }
        return out.build();
    }

    private static void appendTitled(Text text, int from, Text.Builder out) {
        int c = text.chars().codePointAt(from);
        String upper = Character.toString(c).toUpperCase(Locale.ROOT);
        boolean several = upper.codePointCount(0, upper.length()) > 1;
        String titled = several
                ? upper.substring(0, upper.offsetByCodePoints(0, 1))
                        + upper.substring(upper.offsetByCodePoints(0, 1)).toLowerCase(Locale.ROOT)
                : Character.toString(Character.toTitleCase(c));
        out.append(titled, text.isData(from));
    }
}

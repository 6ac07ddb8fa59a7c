package dev.meridian.engine.template;

import java.util.List;

/** {@code '{} {name}'.format(…)} without attributes, subscripts and format specifications. */
final class Formats {
    private Formats() {}

    static Value braces(Context context, Args args) {
        Text format = (Text) args.required(0, "self");
        List<Value> positional = args.rest(1);
        args.allNamed();
        Text.Builder out = new Text.Builder();
        String chars = format.chars();
        int automatic = 0;
        for (int at = 0; at < chars.length(); at++) {
            char c = chars.charAt(at);
            if (c != '{' && c != '}') {
                out.append(format, at, at + 1);
            } else if (at + 1 < chars.length() && chars.charAt(at + 1) == c) {
                out.append(format, at, at + 1);
                at++;
            } else {
                int end = c == '{' ? chars.indexOf('}', at) : -1;
                if (end < 0) {
                    throw new TemplateException("single '" + c + "' encountered in format string");
                }
                String field = chars.substring(at + 1, end);
                String index = field.isEmpty() ? Integer.toString(automatic++) : field;
                Text piece = context.string(argument(index, positional, args));
                context.budget.checkSize((long) out.length() + piece.length());
                out.append(piece);
                at = end;
            }
        }
        context.budget.chargeText(out.length());
        return out.build();
    }

    private static Value argument(String field, List<Value> positional, Args args) {
        if (field.length() < 6 && field.chars().allMatch(c -> c >= '0' && c <= '9')) {
            int index = Integer.parseInt(field);
            if (index < positional.size()) {
                return positional.get(index);
            }
        }
        Value named = args.named.get(field);
        if (named == null) {
            throw new TemplateException("format field '" + field + "' has no argument, or is not supported");
        }
        return named;
    }
}

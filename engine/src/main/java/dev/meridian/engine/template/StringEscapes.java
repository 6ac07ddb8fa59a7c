package dev.meridian.engine.template;

/** Python's escapes of string literals; an unknown one stays as it is written. */
final class StringEscapes {
    private StringEscapes() {}

    static String decode(String body, int line) {
        if (body.indexOf('\\') < 0) {
            return body;
        }
        StringBuilder out = new StringBuilder(body.length());
        int at = 0;
        while (at < body.length()) {
            char c = body.charAt(at++);
            if (c != '\\') {
                out.append(c);
            } else {
                at = escape(body, at, out, line);
            }
        }
        return out.toString();
    }

    /** Appends what the escape after the backslash stands for and returns the offset after it. */
    private static int escape(String body, int at, StringBuilder out, int line) {
        char c = body.charAt(at);
        int simple = "\n\\'\"abfnrtv".indexOf(c);
        if (simple >= 0) {
            out.append(simple == 0 ? "" : "\\'\"\u0007\b\f\n\r\t\u000b".substring(simple - 1, simple));
            return at + 1;
        }
        return switch (c) {
            case 'x' -> hex(body, at + 1, 2, out, line);
            case 'u' -> hex(body, at + 1, 4, out, line);
            case 'U' -> hex(body, at + 1, 8, out, line);
            case '0', '1', '2', '3', '4', '5', '6', '7' -> octal(body, at, out);
            case 'N' -> throw new TemplateException("escapes by character name are not supported", line);
            default -> {
                out.append('\\').append(c);
                yield at + 1;
            }
        };
    }

    private static int hex(String body, int from, int digits, StringBuilder out, int line) {
        int to = from + digits;
        if (to > body.length() || !body.substring(from, to).chars().allMatch(c -> Character.digit(c, 16) >= 0)) {
            throw new TemplateException("truncated escape in a string", line);
        }
        long code = Long.parseLong(body.substring(from, to), 16);
        if (code > Character.MAX_CODE_POINT) {
            throw new TemplateException("illegal character in a string", line);
        }
        out.appendCodePoint((int) code);
        return to;
    }

    private static int octal(String body, int from, StringBuilder out) {
        int to = from;
        while (to < body.length() && to < from + 3 && body.charAt(to) >= '0' && body.charAt(to) <= '7') {
            to++;
        }
        out.append((char) Integer.parseInt(body.substring(from, to), 8));
        return to;
    }
}

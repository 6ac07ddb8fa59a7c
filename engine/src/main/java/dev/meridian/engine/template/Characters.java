package dev.meridian.engine.template;

/** What Python calls white space in a string. */
final class Characters {
    private Characters() {}

    static boolean isSpace(int c) {
        return switch (c) {
            case ' ',
                    '\t',
                    '\n',
                    0x0b,
                    '\f',
                    '\r',
                    0x1c,
                    0x1d,
                    0x1e,
                    0x1f,
                    0x85,
                    0xa0,
                    0x1680,
                    0x2028,
                    0x2029,
                    0x202f,
                    0x205f,
                    0x3000 -> true;
            default -> c >= 0x2000 && c <= 0x200a;
        };
    }

    /** Whether there is at least one character from an offset on, and all are white space. */
    static boolean isBlank(String text, int from) {
        return from < text.length() && text.chars().skip(from).allMatch(Characters::isSpace);
    }

    /** The length of a text without the white space at its end. */
    static int endOfStripped(String text) {
        return endOfStripped(text, text.length());
    }

    /** The same for the text before {@code before}. */
    static int endOfStripped(String text, int before) {
        int end = before;
        while (end > 0 && isSpace(text.charAt(end - 1))) {
            end--;
        }
        return end;
    }
}

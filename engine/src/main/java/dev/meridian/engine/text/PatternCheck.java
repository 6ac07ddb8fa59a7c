package dev.meridian.engine.text;

/**
 * Refuses a regular expression whose search may take exponential time. The engine gives such a search up after ten million
 * steps, and the tokenizers library takes that for a reason to end the process, on a text that any client may send. Not
 * repeated without bound: a group, whatever is in it. No tokenizer that is known does that, or refers back.
 */
final class PatternCheck {
    private static final int MAX_CHARACTERS = 4000;
    private static final int MAX_NESTING = 16;
    /** Of one alternative; what is known has at most three. */
    private static final int MAX_REPETITIONS = 4;

    private final String pattern;
    private int at;

    private PatternCheck(String pattern) {
        this.pattern = pattern;
    }

    static void check(String pattern) {
        if (pattern.length() > MAX_CHARACTERS) {
            throw refuse("is longer than " + MAX_CHARACTERS + " characters");
        }
        PatternCheck check = new PatternCheck(pattern);
        check.alternatives(0);
        if (check.at < pattern.length()) {
            throw refuse("has a ) too many");
        }
    }

    private void alternatives(int depth) {
        if (depth > MAX_NESTING) {
            throw refuse("nests more than " + MAX_NESTING + " groups");
        }
        int repetitions = 0;
        while (at < pattern.length() && pattern.charAt(at) != ')') {
            char c = pattern.charAt(at);
            switch (c) {
                case '|' -> {
                    repetitions = 0;
                    at++;
                }
                case '(' -> group(depth);
                case '[' -> set(0);
                case '\\' -> escape();
                case '*', '+' -> {
                    repetitions++;
                    at++;
                }
                case '{' -> {
                    repetitions += counted() ? 0 : 1;
                }
                default -> at++;
            }
            if (repetitions > MAX_REPETITIONS) {
                throw refuse("has more than " + MAX_REPETITIONS + " repetitions in one alternative");
            }
        }
    }

    private void group(int depth) {
        at++;
        alternatives(depth + 1);
        if (at >= pattern.length()) {
            throw refuse("has a group without an end");
        }
        at++;
        if (at < pattern.length() && "*+{".indexOf(pattern.charAt(at)) >= 0) {
            throw refuse("repeats a group");
        }
    }

    /** A set of characters, which in this engine may hold others. */
    private void set(int depth) {
        if (depth > MAX_NESTING) {
            throw refuse("nests more than " + MAX_NESTING + " sets");
        }
        at++;
        while (at < pattern.length() && pattern.charAt(at) != ']') {
            switch (pattern.charAt(at)) {
                case '[' -> set(depth + 1);
                case '\\' -> at += 2;
                default -> at++;
            }
        }
        if (at >= pattern.length()) {
            throw refuse("has a set without an end");
        }
        at++;
    }

    private void escape() {
        if (at + 1 >= pattern.length()) {
            throw refuse("ends with a backslash");
        }
        char c = pattern.charAt(at + 1);
        if ((c >= '1' && c <= '9') || c == 'k' || c == 'g') {
            throw refuse("refers back to a group");
        }
        at += 2;
        if ((c == 'p' || c == 'P') && at < pattern.length() && pattern.charAt(at) == '{') {
            at = pattern.indexOf('}', at) + 1;
            if (at == 0) {
                throw refuse("has a property without an end");
            }
        }
    }

    /** Whether a repetition has an upper bound, of at most a thousand. */
    private boolean counted() {
        int end = pattern.indexOf('}', at);
        String inside = end < 0 ? "" : pattern.substring(at + 1, end);
        if (!inside.matches("\\d{1,3}(,\\d{0,3})?|,\\d{1,3}")) {
            throw refuse("has a brace that counts nothing");
        }
        at = end + 1;
        return !inside.endsWith(",");
    }

    private static TokenizerException refuse(String what) {
        return new TokenizerException("tokenizer.json: a regular expression that " + what);
    }
}

package dev.meridian.engine.template;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads one token of an expression at a time. One thread. */
final class ExpressionLexer {
    private static final Pattern FLOAT =
            Pattern.compile("[0-9]++(?:_[0-9]++)*+(?:\\.[0-9]++(?:_[0-9]++)*+(?:[eE][+-]?[0-9]++)?|[eE][+-]?[0-9]++)");
    private static final Pattern INTEGER =
            Pattern.compile("0[xX][0-9a-fA-F_]++|0[bB][01_]++|0[oO][0-7_]++|[0-9]++(?:_[0-9]++)*+");
    private static final Pattern NAME = Pattern.compile("[\\p{L}_][\\p{L}\\p{N}\\p{M}_]*+");
    private static final List<String> OPERATORS = List.of(
            "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<",
            "=", ".", ":", "|", ",", ";");

    private final Matcher floats;
    private final Matcher integers;
    private final Matcher names;
    private final String source;
    private int end;
    private int bracketChange;

    ExpressionLexer(String source) {
        this.source = source;
        this.floats = FLOAT.matcher(source);
        this.integers = INTEGER.matcher(source);
        this.names = NAME.matcher(source);
    }

    /** The offset after the last token. */
    int end() {
        return end;
    }

    /** 1 where the last token opened a bracket, -1 where it closed one. */
    int bracketChange() {
        return bracketChange;
    }

    Token next(int at, int line) {
        bracketChange = 0;
        char c = source.charAt(at);
        if (c == '\'' || c == '"') {
            return string(at, c, line);
        }
        if (c >= '0' && c <= '9') {
            return number(at, line);
        }
        if (names.region(at, source.length()).lookingAt()) {
            end = names.end();
            return new Token(Token.Kind.NAME, names.group(), line);
        }
        for (String operator : OPERATORS) {
            if (source.startsWith(operator, at)) {
                end = at + operator.length();
                bracketChange = "([{".contains(operator) ? 1 : ")]}".contains(operator) ? -1 : 0;
                return new Token(Token.Kind.OPERATOR, operator, line);
            }
        }
        throw new TemplateException("unexpected character '" + Character.toString(source.codePointAt(at)) + "'", line);
    }

    private Token number(int at, int line) {
        // After a dot a number is an index: 'x.0.1' holds no float.
        boolean index = at > 0 && source.charAt(at - 1) == '.';
        if (!index && floats.region(at, source.length()).lookingAt()) {
            end = floats.end();
            return new Token(Token.Kind.FLOAT, floats.group().replace("_", ""), line);
        }
        integers.region(at, source.length()).lookingAt();
        end = integers.end();
        return new Token(Token.Kind.INTEGER, integers.group().replace("_", ""), line);
    }

    private Token string(int at, char quote, int line) {
        for (int i = at + 1; i < source.length(); i++) {
            char c = source.charAt(i);
            if (c == quote) {
                end = i + 1;
                return new Token(Token.Kind.STRING, StringEscapes.decode(source.substring(at + 1, i), line), line);
            }
            if (c == '\\') {
                i++;
            }
        }
        throw new TemplateException("a string without an end", line);
    }
}

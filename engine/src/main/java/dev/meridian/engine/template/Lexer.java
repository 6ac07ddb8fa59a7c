package dev.meridian.engine.template;

import java.util.ArrayList;
import java.util.List;

/**
 * Splits a template into tokens as Jinja does with {@code trim_blocks} and {@code lstrip_blocks}: the first newline after
 * a block or a comment vanishes, and so do blanks between a line's start and a block or comment. {@code -} strips all
 * white space on its side, {@code +} keeps it.
 */
final class Lexer {
    private static final int MAX_TOKENS = 400_000;

    private final String source;
    private final List<Token> tokens = new ArrayList<>();
    private int position;
    private int line = 1;
    /** Whether the last tag ended with a newline, so that the text after it starts a line. */
    private boolean lineStarting = true;

    private Lexer(String source) {
        this.source = source;
    }

    static List<Token> tokens(String source) {
        String unix = source.replace("\r\n", "\n").replace('\r', '\n');
        return new Lexer(unix.endsWith("\n") ? unix.substring(0, unix.length() - 1) : unix).run();
    }

    private List<Token> run() {
        while (position < source.length()) {
            int tag = nextTag();
            if (tag < 0) {
                data(source.substring(position));
                position = source.length();
            } else {
                tag(tag);
            }
        }
        add(Token.Kind.END, "");
        return tokens;
    }

    private int nextTag() {
        for (int at = source.indexOf('{', position); at >= 0; at = source.indexOf('{', at + 1)) {
            char next = at + 1 < source.length() ? source.charAt(at + 1) : ' ';
            if (next == '{' || next == '%' || next == '#') {
                return at;
            }
        }
        return -1;
    }

    private void tag(int at) {
        char kind = source.charAt(at + 1);
        int inside = at + 2;
        char sign = inside < source.length() ? source.charAt(inside) : ' ';
        if (sign == '-' || sign == '+') {
            inside++;
        } else {
            sign = ' ';
        }
        leadingText(at, sign, kind != '{');
        moveTo(inside);
        switch (kind) {
            case '#' -> comment();
            case '%' -> blockOrRaw();
            default -> expression(Token.Kind.VARIABLE_BEGIN, Token.Kind.VARIABLE_END, "}}");
        }
    }

    /** Emits the text before a tag, stripped as the tag's sign and kind ask for. */
    private void leadingText(int at, char sign, boolean lstrip) {
        String text = source.substring(position, at);
        String kept = text;
        if (sign == '-') {
            kept = text.substring(0, Characters.endOfStripped(text));
        } else if (sign != '+' && lstrip) {
            int lineStart = text.lastIndexOf('\n') + 1;
            if ((lineStart > 0 || lineStarting) && Characters.isBlank(text, lineStart)) {
                kept = text.substring(0, lineStart);
            }
        }
        data(kept);
        line += count(text, kept.length());
        position = at;
    }

    private void data(String text) {
        if (!text.isEmpty()) {
            add(Token.Kind.DATA, text);
            line += count(text, 0);
        }
    }

    private void comment() {
        int end = source.indexOf("#}", position);
        if (end < 0) {
            throw new TemplateException("missing end of comment", line);
        }
        char sign = end > position ? source.charAt(end - 1) : ' ';
        closeTag(end + 2, sign);
    }

    /** Ends a block or comment whose last character is before {@code after}. */
    private void closeTag(int after, char sign) {
        int end = after;
        if (sign == '-') {
            while (end < source.length() && Characters.isSpace(source.charAt(end))) {
                end++;
            }
        } else if (sign != '+' && end < source.length() && source.charAt(end) == '\n') {
            end++;
        }
        lineStarting = source.charAt(end - 1) == '\n';
        moveTo(end);
    }

    private void blockOrRaw() {
        int name = skipSpace(position);
        if (source.startsWith("raw", name)) {
            int end = skipSpace(name + 3);
            boolean minus = source.startsWith("-%}", end);
            if (minus || source.startsWith("%}", end)) {
                raw(minus ? end + 3 : end + 2, minus);
                return;
            }
        }
        expression(Token.Kind.BLOCK_BEGIN, Token.Kind.BLOCK_END, "%}");
    }

    private void raw(int start, boolean strip) {
        moveTo(strip ? skipSpace(start) : start);
        lineStarting = source.charAt(position - 1) == '\n';
        for (int at = source.indexOf("{%", position); at >= 0; at = source.indexOf("{%", at + 2)) {
            char sign = at + 2 < source.length() ? source.charAt(at + 2) : ' ';
            int name = skipSpace(sign == '-' || sign == '+' ? at + 3 : at + 2);
            int end = source.startsWith("endraw", name) ? skipSpace(name + 6) : source.length();
            char endSign = end < source.length() ? source.charAt(end) : ' ';
            int close = endSign == '-' || endSign == '+' ? end + 1 : end;
            if (source.startsWith("%}", close)) {
                leadingText(at, sign, true);
                closeTag(close + 2, endSign);
                return;
            }
        }
        throw new TemplateException("missing end of raw", line);
    }

    /** Tokens up to the end of a tag; inside brackets the end's characters are operators. */
    private void expression(Token.Kind begin, Token.Kind end, String close) {
        add(begin, "");
        int beganLine = line;
        ExpressionLexer lexer = new ExpressionLexer(source);
        int open = 0;
        while (true) {
            moveTo(skipSpace(position));
            if (position >= source.length()) {
                throw new TemplateException("missing end of tag", beganLine);
            }
            char sign = source.charAt(position);
            boolean signed = sign == '-' || (sign == '+' && end == Token.Kind.BLOCK_END);
            int closing = signed ? position + 1 : position;
            if (open == 0 && source.startsWith(close, closing)) {
                add(end, "");
                closeExpression(closing + 2, signed ? sign : ' ', end);
                return;
            }
            Token token = lexer.next(position, line);
            open += lexer.bracketChange();
            if (open < 0) {
                throw new TemplateException("unexpected '" + token.text() + "'", line);
            }
            add(token.kind(), token.text());
            moveTo(lexer.end());
        }
    }

    private void closeExpression(int after, char sign, Token.Kind end) {
        if (end == Token.Kind.BLOCK_END || sign == '-') {
            closeTag(after, sign);
        } else {
            lineStarting = false;
            moveTo(after);
        }
    }

    private int skipSpace(int from) {
        int at = from;
        while (at < source.length() && Characters.isSpace(source.charAt(at))) {
            at++;
        }
        return at;
    }

    private void moveTo(int target) {
        for (int i = position; i < target; i++) {
            if (source.charAt(i) == '\n') {
                line++;
            }
        }
        position = target;
    }

    private void add(Token.Kind kind, String text) {
        if (tokens.size() >= MAX_TOKENS) {
            throw new TemplateException("the template has more than " + MAX_TOKENS + " tokens", line);
        }
        tokens.add(new Token(kind, text, line));
    }

    private static int count(String text, int from) {
        return (int) text.chars().skip(from).filter(c -> c == '\n').count();
    }
}

package dev.meridian.engine.template;

import java.util.List;

/** A cursor over tokens; the last one is END and is never passed. One thread. */
final class TokenStream {
    /** Bounds the parser's own recursion. */
    private static final int MAX_NESTING = 100;

    private final List<Token> tokens;
    private int position;
    private int nesting;

    TokenStream(List<Token> tokens) {
        this.tokens = tokens;
    }

    Token current() {
        return tokens.get(position);
    }

    Token ahead() {
        return tokens.get(Math.min(position + 1, tokens.size() - 1));
    }

    int line() {
        return current().line();
    }

    Token take() {
        Token token = current();
        if (position < tokens.size() - 1) {
            position++;
        }
        return token;
    }

    boolean skipOperator(String operator) {
        return skipIf(current().isOperator(operator));
    }

    boolean skipName(String name) {
        return skipIf(current().isName(name));
    }

    private boolean skipIf(boolean matches) {
        if (matches) {
            take();
        }
        return matches;
    }

    void expectOperator(String operator) {
        if (!skipOperator(operator)) {
            throw fail("expected '" + operator + "', got " + current().describe());
        }
    }

    void expectName(String name) {
        if (!skipName(name)) {
            throw fail("expected '" + name + "', got " + current().describe());
        }
    }

    String takeName() {
        return expect(Token.Kind.NAME).text();
    }

    Token expect(Token.Kind kind) {
        if (current().kind() != kind) {
            throw fail("expected " + new Token(kind, "name", 0).describe() + ", got "
                    + current().describe());
        }
        return take();
    }

    TemplateException fail(String message) {
        return new TemplateException(message, line());
    }

    void enter() {
        if (++nesting > MAX_NESTING) {
            throw fail("the template nests deeper than " + MAX_NESTING);
        }
    }

    void leave() {
        nesting--;
    }
}

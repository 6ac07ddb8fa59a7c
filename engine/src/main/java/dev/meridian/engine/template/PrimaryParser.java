package dev.meridian.engine.template;

import dev.meridian.engine.template.Expression.Arguments;
import dev.meridian.engine.template.Expression.Pair;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Literals, names, and what may follow them: attributes, subscripts, calls, filters, tests. One thread. */
final class PrimaryParser {
    private final TokenStream tokens;
    private final ExpressionParser expressions;
    /** Unknown filters and tests; inside a branch one is an error only when it runs, as in Jinja. */
    private final List<TemplateException> unknown = new ArrayList<>();

    PrimaryParser(TokenStream tokens, ExpressionParser expressions) {
        this.tokens = tokens;
        this.expressions = expressions;
    }

    /** How many unknown names were met; what comes after this may turn out to be a branch. */
    int unknownNames() {
        return unknown.size();
    }

    /** Forgets the unknown names met since, because they stand in a branch. */
    void forgive(int since) {
        unknown.subList(since, unknown.size()).clear();
    }

    /** Throws for the first unknown name that runs always. */
    void checkNames() {
        if (!unknown.isEmpty()) {
            throw unknown.getFirst();
        }
    }

    Expression primary() {
        Token token = tokens.current();
        return switch (token.kind()) {
            case NAME -> name(tokens.take());
            case STRING -> string();
            case INTEGER -> new Expression.Constant(integer(tokens.take()), token.line());
            case FLOAT ->
                new Expression.Constant(
                        new Value.Real(Double.parseDouble(tokens.take().text())), token.line());
            case OPERATOR -> bracketed(token);
            default -> throw tokens.fail("unexpected " + token.describe());
        };
    }

    private static Expression name(Token token) {
        return switch (token.text()) {
            case "true", "True" -> new Expression.Constant(Value.Bool.TRUE, token.line());
            case "false", "False" -> new Expression.Constant(Value.Bool.FALSE, token.line());
            case "none", "None" -> new Expression.Constant(Value.None.NONE, token.line());
            default -> new Expression.Name(token.text(), token.line());
        };
    }

    private Expression string() {
        int line = tokens.line();
        StringBuilder joined = new StringBuilder();
        while (tokens.current().kind() == Token.Kind.STRING) {
            joined.append(tokens.take().text());
        }
        return new Expression.Constant(Text.plain(joined.toString()), line);
    }

    private static Value integer(Token token) {
        String text = token.text();
        int radix = text.length() < 3
                ? 10
                : switch (text.charAt(1)) {
                    case 'x', 'X' -> 16;
                    case 'b', 'B' -> 2;
                    case 'o', 'O' -> 8;
                    default -> 10;
                };
        String digits = radix == 10 ? text : text.substring(2);
        if (digits.length() > 64 || new BigInteger(digits, radix).bitLength() > 63) {
            throw new TemplateException("an integer of more than 64 bits", token.line());
        }
        return new Value.Int(Long.parseLong(digits, radix));
    }

    private Expression bracketed(Token open) {
        tokens.enter();
        Expression value = switch (open.text()) {
            case "(" -> parenthesised();
            case "[" -> list();
            case "{" -> dict();
            default -> throw tokens.fail("unexpected " + open.describe());
        };
        tokens.leave();
        return value;
    }

    private Expression parenthesised() {
        int line = tokens.take().line();
        if (tokens.skipOperator(")")) {
            return new Expression.TupleLiteral(List.of(), line);
        }
        Expression value = expressions.tuple(true);
        tokens.expectOperator(")");
        return value;
    }

    private Expression list() {
        int line = tokens.take().line();
        List<Expression> items = new ArrayList<>();
        while (!tokens.current().isOperator("]")) {
            items.add(expressions.expression());
            if (!tokens.skipOperator(",")) {
                break;
            }
        }
        tokens.expectOperator("]");
        return new Expression.ListLiteral(items, line);
    }

    private Expression dict() {
        int line = tokens.take().line();
        List<Pair> pairs = new ArrayList<>();
        while (!tokens.current().isOperator("}")) {
            Expression key = expressions.expression();
            tokens.expectOperator(":");
            pairs.add(new Pair(key, expressions.expression()));
            if (!tokens.skipOperator(",")) {
                break;
            }
        }
        tokens.expectOperator("}");
        return new Expression.DictLiteral(pairs, line);
    }

    Expression postfix(Expression start) {
        Expression value = start;
        while (true) {
            Token token = tokens.current();
            if (token.isOperator(".")) {
                value = dotted(value);
            } else if (token.isOperator("[")) {
                value = subscript(value);
            } else if (token.isOperator("(")) {
                value = new Expression.Call(value, expressions.arguments(), token.line());
            } else {
                return value;
            }
        }
    }

    private Expression dotted(Expression target) {
        int line = tokens.take().line();
        if (tokens.current().kind() == Token.Kind.INTEGER) {
            Expression index = new Expression.Constant(integer(tokens.take()), line);
            return new Expression.Subscript(target, index, line);
        }
        return new Expression.Attribute(target, tokens.takeName(), line);
    }

    private Expression subscript(Expression target) {
        int line = tokens.take().line();
        Expression from = tokens.current().isOperator(":") ? null : expressions.expression();
        if (from != null && tokens.skipOperator("]")) {
            return new Expression.Subscript(target, from, line);
        }
        tokens.expectOperator(":");
        Expression to = atSliceBorder() ? null : expressions.expression();
        Expression step = tokens.skipOperator(":") && !atSliceBorder() ? expressions.expression() : null;
        tokens.expectOperator("]");
        return new Expression.Slice(target, from, to, step, line);
    }

    private boolean atSliceBorder() {
        return tokens.current().isOperator(":") || tokens.current().isOperator("]");
    }

    Expression filters(Expression start) {
        Expression value = start;
        while (true) {
            Token token = tokens.current();
            if (token.isOperator("|")) {
                value = filterChain(value);
            } else if (token.isName("is")) {
                value = test(value);
            } else if (token.isOperator("(")) {
                value = new Expression.Call(value, expressions.arguments(), token.line());
            } else {
                return value;
            }
        }
    }

    /** One or more filters; without a head the stream stands on the first one's name or its bar. */
    Expression.Filter filterChain(@Nullable Expression head) {
        tokens.skipOperator("|");
        Expression.Filter chain = filter(head);
        while (tokens.skipOperator("|")) {
            chain = filter(chain);
        }
        return chain;
    }

    private Expression.Filter filter(@Nullable Expression input) {
        int line = tokens.line();
        String name = dottedName();
        if (!Filters.ALL.containsKey(name)) {
            unknown.add(new TemplateException("no filter named '" + name + "'", line));
        }
        Arguments arguments = tokens.current().isOperator("(") ? expressions.arguments() : Arguments.NONE;
        return new Expression.Filter(input, name, arguments, line);
    }

    private String dottedName() {
        StringBuilder name = new StringBuilder(tokens.takeName());
        while (tokens.skipOperator(".")) {
            name.append('.').append(tokens.takeName());
        }
        return name.toString();
    }

    private Expression test(Expression target) {
        int line = tokens.take().line();
        boolean negated = tokens.skipName("not");
        String name = dottedName();
        if (!Tests.ALL.containsKey(name)) {
            unknown.add(new TemplateException("no test named '" + name + "'", line));
        }
        Expression test = new Expression.Test(target, name, testArguments(), line);
        return negated ? new Expression.Not(test, line) : test;
    }

    private Arguments testArguments() {
        Token token = tokens.current();
        if (token.isOperator("(")) {
            return expressions.arguments();
        }
        boolean operand = switch (token.kind()) {
            case NAME -> !token.isName("else") && !token.isName("or") && !token.isName("and");
            case STRING, INTEGER, FLOAT -> true;
            default -> token.isOperator("[") || token.isOperator("{");
        };
        if (!operand) {
            return Arguments.NONE;
        }
        if (token.isName("is")) {
            throw tokens.fail("tests cannot be chained with 'is'");
        }
        return new Arguments(List.of(postfix(primary())), List.of());
    }
}

package dev.meridian.engine.template;

import dev.meridian.engine.template.Expression.Arguments;
import dev.meridian.engine.template.Expression.Comparison;
import dev.meridian.engine.template.Expression.Keyword;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Expressions by recursive descent, with Jinja's own precedence. One thread. */
final class ExpressionParser {
    private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");
    private static final Set<String> PRODUCTS = Set.of("*", "/", "//", "%");

    private final TokenStream tokens;
    private final PrimaryParser primaries;

    ExpressionParser(TokenStream tokens) {
        this.tokens = tokens;
        this.primaries = new PrimaryParser(tokens, this);
    }

    /** An expression; several with commas between them are a tuple. */
    Expression tuple(boolean withConditional) {
        int line = tokens.line();
        List<Expression> items = new ArrayList<>();
        items.add(withConditional ? expression() : or());
        boolean comma = false;
        while (tokens.skipOperator(",")) {
            comma = true;
            if (atTupleEnd()) {
                break;
            }
            items.add(withConditional ? expression() : or());
        }
        return comma ? new Expression.TupleLiteral(items, line) : items.getFirst();
    }

    private boolean atTupleEnd() {
        Token token = tokens.current();
        return token.kind() == Token.Kind.VARIABLE_END
                || token.kind() == Token.Kind.BLOCK_END
                || token.isOperator(")")
                || token.isName("recursive");
    }

    Expression expression() {
        tokens.enter();
        int known = primaries.unknownNames();
        Expression value = or();
        while (tokens.current().isName("if")) {
            int line = tokens.take().line();
            Expression test = or();
            Expression otherwise = tokens.skipName("else") ? expression() : null;
            primaries.forgive(known);
            value = new Expression.Conditional(test, value, otherwise, line);
        }
        tokens.leave();
        return value;
    }

    private Expression or() {
        Expression left = and();
        while (tokens.current().isName("or")) {
            int line = tokens.take().line();
            left = new Expression.Or(left, and(), line);
        }
        return left;
    }

    private Expression and() {
        Expression left = not();
        while (tokens.current().isName("and")) {
            int line = tokens.take().line();
            left = new Expression.And(left, not(), line);
        }
        return left;
    }

    private Expression not() {
        if (!tokens.current().isName("not")) {
            return comparison();
        }
        int line = tokens.take().line();
        tokens.enter();
        Expression operand = not();
        tokens.leave();
        return new Expression.Not(operand, line);
    }

    private Expression comparison() {
        Expression first = sum();
        int line = tokens.line();
        List<Comparison> rest = new ArrayList<>();
        while (true) {
            Token token = tokens.current();
            if (token.kind() == Token.Kind.OPERATOR && COMPARISONS.contains(token.text())) {
                tokens.take();
                rest.add(new Comparison(token.text(), sum()));
            } else if (tokens.skipName("in")) {
                rest.add(new Comparison("in", sum()));
            } else if (token.isName("not") && tokens.ahead().isName("in")) {
                tokens.take();
                tokens.take();
                rest.add(new Comparison("not in", sum()));
            } else {
                return rest.isEmpty() ? first : new Expression.Compare(first, rest, line);
            }
        }
    }

    private Expression sum() {
        Expression left = concat();
        while (tokens.current().isOperator("+") || tokens.current().isOperator("-")) {
            Token operator = tokens.take();
            left = new Expression.Binary(operator.text(), left, concat(), operator.line());
        }
        return left;
    }

    private Expression concat() {
        int line = tokens.line();
        Expression first = product();
        if (!tokens.current().isOperator("~")) {
            return first;
        }
        List<Expression> items = new ArrayList<>();
        items.add(first);
        while (tokens.skipOperator("~")) {
            items.add(product());
        }
        return new Expression.Concat(items, line);
    }

    private Expression product() {
        Expression left = power();
        while (tokens.current().kind() == Token.Kind.OPERATOR
                && PRODUCTS.contains(tokens.current().text())) {
            Token operator = tokens.take();
            left = new Expression.Binary(operator.text(), left, power(), operator.line());
        }
        return left;
    }

    private Expression power() {
        Expression left = unary(true);
        while (tokens.current().isOperator("**")) {
            int line = tokens.take().line();
            left = new Expression.Binary("**", left, unary(true), line);
        }
        return left;
    }

    private Expression unary(boolean withFilter) {
        Token token = tokens.current();
        Expression value;
        if (token.isOperator("-") || token.isOperator("+")) {
            tokens.take();
            tokens.enter();
            value = new Expression.Unary(token.text(), unary(false), token.line());
            tokens.leave();
        } else {
            value = primaries.primary();
        }
        value = primaries.postfix(value);
        return withFilter ? primaries.filters(value) : value;
    }

    Arguments arguments() {
        tokens.expectOperator("(");
        List<Expression> positional = new ArrayList<>();
        List<Keyword> named = new ArrayList<>();
        while (!tokens.current().isOperator(")")) {
            if (!positional.isEmpty() || !named.isEmpty()) {
                tokens.expectOperator(",");
                if (tokens.current().isOperator(")")) {
                    break;
                }
            }
            if (tokens.current().kind() == Token.Kind.NAME && tokens.ahead().isOperator("=")) {
                String name = tokens.takeName();
                tokens.take();
                named.add(new Keyword(name, expression()));
            } else if (named.isEmpty()) {
                positional.add(expression());
            } else {
                throw tokens.fail("a positional argument after a keyword argument");
            }
        }
        tokens.expectOperator(")");
        return new Arguments(positional, named);
    }

    Expression.Filter filterChain(@Nullable Expression head) {
        return primaries.filterChain(head);
    }

    int unknownNames() {
        return primaries.unknownNames();
    }

    void forgive(int since) {
        primaries.forgive(since);
    }

    void checkNames() {
        primaries.checkNames();
    }
}

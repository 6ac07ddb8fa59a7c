package dev.meridian.engine.template;

import dev.meridian.engine.template.Statement.Assignment;
import dev.meridian.engine.template.Statement.Branch;
import dev.meridian.engine.template.Statement.Parameter;
import dev.meridian.engine.template.Statement.Signature;
import dev.meridian.engine.template.Statement.Target;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Text and tags of a template. One thread. */
final class TemplateParser {
    private final TokenStream tokens;
    private final ExpressionParser expressions;
    /** Loops around the current statement within the current macro; {@code break} needs one. */
    private int loops;

    private TemplateParser(List<Token> tokens) {
        this.tokens = new TokenStream(tokens);
        this.expressions = new ExpressionParser(this.tokens);
    }

    static List<Statement> parse(String source) {
        TemplateParser parser = new TemplateParser(Lexer.tokens(source));
        List<Statement> template = parser.until(Set.of());
        parser.expressions.checkNames();
        return template;
    }

    /** Statements up to a tag of one of these names, which stays the current token; none means up to the end. */
    private List<Statement> until(Set<String> ends) {
        tokens.enter();
        List<Statement> body = new ArrayList<>();
        while (true) {
            Token token = tokens.take();
            switch (token.kind()) {
                case DATA -> body.add(new Statement.Data(Text.plain(token.text())));
                case VARIABLE_BEGIN -> {
                    body.add(new Statement.Print(expressions.tuple(true)));
                    tokens.expect(Token.Kind.VARIABLE_END);
                }
                case BLOCK_BEGIN -> {
                    if (tokens.current().kind() == Token.Kind.NAME
                            && ends.contains(tokens.current().text())) {
                        tokens.leave();
                        return body;
                    }
                    body.add(statement());
                    tokens.expect(Token.Kind.BLOCK_END);
                }
                default -> {
                    if (!ends.isEmpty()) {
                        throw tokens.fail("the template ends where a tag was expected: " + String.join(" or ", ends));
                    }
                    tokens.leave();
                    return body;
                }
            }
        }
    }

    /** The body of a tag: its end, statements, and the name of the closing tag. */
    private List<Statement> body(String... ends) {
        tokens.skipOperator(":");
        tokens.expect(Token.Kind.BLOCK_END);
        return until(Set.of(ends));
    }

    private List<Statement> bodyThrough(String end) {
        List<Statement> body = body(end);
        tokens.take();
        return body;
    }

    private Statement statement() {
        Token tag = tokens.expect(Token.Kind.NAME);
        return switch (tag.text()) {
            case "if" -> ifStatement();
            case "for" -> forStatement(tag.line());
            case "set" -> set(tag.line());
            case "macro" -> macro();
            case "call" -> callBlock();
            case "filter" ->
                new Statement.FilterBlock(expressions.filterChain(null), bodyThrough("endfilter"), tag.line());
            case "with" -> with();
            // Marks what an assistant said, for training; renders as if it were not there.
            case "generation" -> new Statement.Scoped(bodyThrough("endgeneration"));
            case "break" -> inLoop(new Statement.Break(), tag);
            case "continue" -> inLoop(new Statement.Continue(), tag);
            case "print" -> print(tag.line());
            case "include", "import", "from", "extends", "block", "autoescape", "do" ->
                throw new TemplateException("the tag '" + tag.text() + "' is not supported", tag.line());
            default -> throw new TemplateException("unknown tag '" + tag.text() + "'", tag.line());
        };
    }

    private Statement print(int line) {
        List<Expression> items = new ArrayList<>();
        do {
            items.add(expressions.expression());
        } while (tokens.skipOperator(","));
        return new Statement.Print(new Expression.Concat(items, line));
    }

    private Statement inLoop(Statement statement, Token tag) {
        if (loops == 0) {
            throw new TemplateException("'" + tag.text() + "' outside a loop", tag.line());
        }
        return statement;
    }

    private Statement ifStatement() {
        List<Branch> branches = new ArrayList<>();
        int known = expressions.unknownNames();
        Expression test = expressions.tuple(false);
        List<Statement> otherwise = List.of();
        while (true) {
            branches.add(new Branch(test, body("elif", "else", "endif")));
            String next = tokens.takeName();
            if (next.equals("elif")) {
                test = expressions.tuple(false);
                continue;
            }
            if (next.equals("else")) {
                otherwise = bodyThrough("endif");
            }
            expressions.forgive(known);
            return new Statement.If(branches, otherwise);
        }
    }

    private Statement forStatement(int line) {
        Target target = target(false);
        tokens.expectName("in");
        Expression items = expressions.tuple(false);
        Expression test = tokens.skipName("if") ? expressions.expression() : null;
        if (tokens.current().isName("recursive")) {
            throw tokens.fail("recursive loops are not supported");
        }
        loops++;
        List<Statement> body = body("else", "endfor");
        loops--;
        List<Statement> otherwise = tokens.takeName().equals("else") ? bodyThrough("endfor") : List.of();
        return new Statement.For(target, items, test, body, otherwise, line);
    }

    private Statement set(int line) {
        Target target = target(true);
        if (tokens.skipOperator("=")) {
            return new Statement.Set(target, expressions.tuple(true));
        }
        Expression.@Nullable Filter filter = tokens.current().isOperator("|") ? expressions.filterChain(null) : null;
        return new Statement.SetBlock(target, filter, bodyThrough("endset"), line);
    }

    private Statement with() {
        List<Assignment> assignments = new ArrayList<>();
        while (tokens.current().kind() == Token.Kind.NAME) {
            Target target = target(false);
            tokens.expectOperator("=");
            assignments.add(new Assignment(target, expressions.expression()));
            if (!tokens.skipOperator(",")) {
                break;
            }
        }
        return new Statement.With(assignments, bodyThrough("endwith"));
    }

    private Statement macro() {
        String name = tokens.takeName();
        Signature signature = signature();
        return new Statement.Macro(name, signature, outsideLoops("endmacro"));
    }

    private Statement callBlock() {
        Signature signature = tokens.current().isOperator("(") ? signature() : new Signature(List.of());
        int line = tokens.line();
        if (!(expressions.expression() instanceof Expression.Call call)) {
            throw new TemplateException("a call block needs a call", line);
        }
        return new Statement.CallBlock(signature, call, outsideLoops("endcall"));
    }

    private List<Statement> outsideLoops(String end) {
        int outer = loops;
        loops = 0;
        List<Statement> body = bodyThrough(end);
        loops = outer;
        return body;
    }

    private Signature signature() {
        List<Parameter> parameters = new ArrayList<>();
        boolean optional = false;
        tokens.expectOperator("(");
        while (!tokens.current().isOperator(")")) {
            if (!parameters.isEmpty()) {
                tokens.expectOperator(",");
            }
            String name = tokens.takeName();
            Expression fallback = tokens.skipOperator("=") ? expressions.expression() : null;
            if (optional && fallback == null) {
                throw tokens.fail("a parameter without a default after one with a default");
            }
            optional = fallback != null;
            parameters.add(new Parameter(name, fallback));
        }
        tokens.expectOperator(")");
        return new Signature(parameters);
    }

    private Target target(boolean withNamespace) {
        int line = tokens.line();
        if (withNamespace && tokens.ahead().isOperator(".")) {
            String namespace = tokens.takeName();
            tokens.take();
            return new Target.NamespaceAttribute(namespace, tokens.takeName(), line);
        }
        List<Target> targets = new ArrayList<>();
        targets.add(single());
        boolean comma = false;
        while (tokens.skipOperator(",")) {
            comma = true;
            if (tokens.current().isName("in") || tokens.current().isOperator("=")) {
                break;
            }
            targets.add(single());
        }
        return comma ? new Target.Unpacked(targets, line) : targets.getFirst();
    }

    private Target single() {
        int line = tokens.line();
        if (tokens.skipOperator("(")) {
            tokens.enter();
            Target inner = target(false);
            tokens.leave();
            tokens.expectOperator(")");
            return inner;
        }
        String name = tokens.takeName();
        if (Set.of("true", "True", "false", "False", "none", "None").contains(name)) {
            throw new TemplateException("cannot assign to '" + name + "'", line);
        }
        return new Target.Variable(name, line);
    }
}

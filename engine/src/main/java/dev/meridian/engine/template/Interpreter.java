package dev.meridian.engine.template;

import dev.meridian.engine.template.Statement.Branch;
import dev.meridian.engine.template.Statement.Parameter;
import dev.meridian.engine.template.Statement.Signature;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Runs statements. One rendering, one thread. */
final class Interpreter {
    private enum Flow {
        NEXT,
        BREAK,
        CONTINUE
    }

    private static final String CALLER = "caller";

    private final Context context;
    private final Budget budget;
    private final Evaluator evaluator;

    Interpreter(Context context) {
        this.context = context;
        this.budget = context.budget;
        this.evaluator = new Evaluator(context);
    }

    /** The line that was being evaluated last. */
    int line() {
        return evaluator.line();
    }

    Text render(List<Statement> template) {
        return capture(template, new Scope(null));
    }

    private Text capture(List<Statement> body, Scope scope) {
        Text.Builder out = new Text.Builder();
        run(body, scope, out);
        return out.build();
    }

    private Flow run(List<Statement> body, Scope scope, Text.Builder out) {
        budget.enter();
        Flow flow = Flow.NEXT;
        for (Statement statement : body) {
            flow = run(statement, scope, out);
            if (flow != Flow.NEXT) {
                break;
            }
        }
        budget.leave();
        return flow;
    }

    private Flow run(Statement statement, Scope scope, Text.Builder out) {
        budget.charge(1);
        switch (statement) {
            case Statement.Data(Text text) -> write(text, out);
            case Statement.Print(Expression value) -> write(context.string(evaluator.evaluate(value, scope)), out);
            case Statement.If choice -> {
                return choose(choice, scope, out);
            }
            case Statement.For loop -> {
                return loop(loop, scope, out);
            }
            case Statement.Set(Statement.Target target, Expression value) ->
                assign(target, evaluator.evaluate(value, scope), scope);
            case Statement.SetBlock block -> assign(block.target(), setBlock(block, scope), scope);
            case Statement.Macro macro ->
                scope.set(macro.name(), function(macro.name(), macro.signature(), macro.body(), scope));
            case Statement.CallBlock block -> write(context.string(callBlock(block, scope)), out);
            case Statement.FilterBlock block ->
                write(
                        context.string(
                                evaluator.filter(block.filter(), capture(block.body(), new Scope(scope)), scope)),
                        out);
            case Statement.With with -> {
                return with(with, scope, out);
            }
            case Statement.Scoped(List<Statement> body) -> write(capture(body, new Scope(scope)), out);
            case Statement.Break() -> {
                return Flow.BREAK;
            }
            case Statement.Continue() -> {
                return Flow.CONTINUE;
            }
        }
        return Flow.NEXT;
    }

    private void write(Text text, Text.Builder out) {
        budget.checkSize((long) out.length() + text.length());
        budget.chargeText(text.length());
        out.append(text);
    }

    private Flow choose(Statement.If choice, Scope scope, Text.Builder out) {
        for (Branch branch : choice.branches()) {
            if (evaluator.truth(branch.test(), scope)) {
                return run(branch.body(), scope, out);
            }
        }
        return run(choice.otherwise(), scope, out);
    }

    private Flow loop(Statement.For loop, Scope scope, Text.Builder out) {
        Value source = evaluator.evaluate(loop.items(), scope);
        if (source instanceof Text text) {
            // Finding its characters walks it once.
            budget.chargeText(text.length());
        }
        List<Value> items = filtered(loop, Sequences.items(source), scope);
        if (items.isEmpty()) {
            return run(loop.otherwise(), new Scope(scope), out);
        }
        Loop state = new Loop(items);
        for (int i = 0; i < items.size(); i++) {
            budget.charge(1);
            state.moveTo(i);
            Scope inner = new Scope(scope);
            assign(loop.target(), items.get(i), inner);
            inner.set("loop", state);
            if (run(loop.body(), inner, out) == Flow.BREAK) {
                break;
            }
        }
        return Flow.NEXT;
    }

    private List<Value> filtered(Statement.For loop, List<Value> items, Scope scope) {
        if (loop.test() == null) {
            return items;
        }
        List<Value> kept = new ArrayList<>();
        for (Value item : items) {
            budget.charge(1);
            Scope inner = new Scope(scope);
            assign(loop.target(), item, inner);
            if (evaluator.truth(loop.test(), inner)) {
                kept.add(item);
            }
        }
        return kept;
    }

    private Value setBlock(Statement.SetBlock block, Scope scope) {
        Text text = capture(block.body(), new Scope(scope));
        return block.filter() == null ? text : evaluator.filter(block.filter(), text, scope);
    }

    private Flow with(Statement.With with, Scope scope, Text.Builder out) {
        Scope inner = new Scope(scope);
        for (Statement.Assignment assignment : with.assignments()) {
            assign(assignment.target(), evaluator.evaluate(assignment.value(), scope), inner);
        }
        return run(with.body(), inner, out);
    }

    private Value callBlock(Statement.CallBlock block, Scope scope) {
        Value.Function caller = function(CALLER, block.signature(), block.body(), scope);
        return evaluator.call(block.call(), caller, scope);
    }

    private Value.Function function(String name, Signature signature, List<Statement> body, Scope definedIn) {
        return new Value.Function(name, (running, args) -> {
            Scope scope = new Scope(definedIn);
            List<Parameter> parameters = signature.parameters();
            for (int i = 0; i < parameters.size(); i++) {
                scope.set(parameters.get(i).name(), argument(args, i, parameters.get(i), scope));
            }
            if (args.named.containsKey(CALLER)) {
                scope.set(CALLER, args.required(parameters.size(), CALLER));
            }
            return capture(body, scope);
        });
    }

    private Value argument(Args args, int index, Parameter parameter, Scope scope) {
        String name = parameter.name();
        if (index < args.positional.size() && args.named.containsKey(name)) {
            throw new TemplateException("got several values for argument '" + name + "'");
        }
        @Nullable Expression fallback = parameter.fallback();
        if (args.has(index, name) || fallback == null) {
            return args.optional(index, name, new Value.Undefined("parameter '" + name + "' was not provided"));
        }
        return evaluator.evaluate(fallback, scope);
    }

    private void assign(Statement.Target target, Value value, Scope scope) {
        switch (target) {
            case Statement.Target.Variable(String name, int _) -> scope.set(name, value);
            case Statement.Target.NamespaceAttribute(String namespace, String attribute, int line) -> {
                if (!(scope.find(namespace) instanceof Value.Namespace found)) {
                    throw new TemplateException("cannot assign attribute on non-namespace object", line);
                }
                found.attributes.put(attribute, value);
            }
            case Statement.Target.Unpacked(List<Statement.Target> targets, int line) -> {
                List<Value> items = context.items(value);
                if (items.size() != targets.size()) {
                    throw new TemplateException(
                            "cannot unpack " + items.size() + " values into " + targets.size() + " names", line);
                }
                for (int i = 0; i < items.size(); i++) {
                    assign(targets.get(i), items.get(i), scope);
                }
            }
        }
    }
}

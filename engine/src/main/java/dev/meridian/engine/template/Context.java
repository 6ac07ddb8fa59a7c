package dev.meridian.engine.template;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What functions and filters may use of a running rendering. One thread. */
final class Context {
    final Budget budget;
    final TemplateInput input;
    /** Values made of the input, once each. */
    private final Map<String, Value> globals = new HashMap<>();

    Context(Budget budget, TemplateInput input) {
        this.budget = budget;
        this.input = input;
    }

    /** Walks a value as Python's {@code iter} does, and pays for every element. */
    List<Value> items(Value value) {
        List<Value> items = Sequences.items(value);
        budget.charge(items.size());
        return items;
    }

    /** {@code str(value)}, paid for. */
    Text string(Value value) {
        Text text = Display.string(budget, value);
        budget.chargeText(text.length());
        return text;
    }

    /** A variable of the input or a function that every template has. */
    Value global(String name) {
        return globals.computeIfAbsent(
                name,
                _ -> input.lookUp(name).orElseGet(() -> {
                    Value.Function function = Globals.ALL.get(name);
                    return function == null ? new Value.Undefined("'" + name + "' is undefined") : function;
                }));
    }

    Value call(Value callee, Args args) {
        if (!(callee instanceof Value.Function function)) {
            throw new TemplateException(
                    callee instanceof Value.Undefined missing
                            ? missing.reason()
                            : Sequences.typeName(callee) + " is not callable");
        }
        Value result = function.body.call(this, args);
        args.checkConsumed();
        return result;
    }

    Value filter(String name, Args args) {
        Builtin filter = Filters.ALL.get(name);
        if (filter == null) {
            throw new TemplateException("no filter named '" + name + "'");
        }
        budget.enter();
        Value result = filter.call(this, args);
        budget.leave();
        args.checkConsumed();
        return result;
    }

    boolean test(String name, Args args) {
        Tests.Check check = Tests.ALL.get(name);
        if (check == null) {
            throw new TemplateException("no test named '" + name + "'");
        }
        budget.charge(1);
        boolean result = check.holds(this, args);
        args.checkConsumed();
        return result;
    }
}

package dev.meridian.engine.template;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** The variable {@code loop} inside a for loop. One thread. */
final class Loop implements Value {
    private final List<Value> items;
    private int index;
    private @Nullable List<Value> lastChanged;

    Loop(List<Value> items) {
        this.items = items;
    }

    void moveTo(int newIndex) {
        index = newIndex;
    }

    Value attribute(String name) {
        return switch (name) {
            case "index" -> new Int(index + 1L);
            case "index0" -> new Int(index);
            case "revindex" -> new Int((long) items.size() - index);
            case "revindex0" -> new Int(items.size() - index - 1L);
            case "length" -> new Int(items.size());
            case "first" -> Bool.of(index == 0);
            case "last" -> Bool.of(index == items.size() - 1);
            case "depth" -> new Int(1);
            case "depth0" -> new Int(0);
            case "previtem" -> index > 0 ? items.get(index - 1) : new Undefined("there is no previous item");
            case "nextitem" -> index + 1 < items.size() ? items.get(index + 1) : new Undefined("there is no next item");
            case "cycle" -> new Function(name, (context, args) -> cycle(args.rest(0)));
            case "changed" -> new Function(name, this::changed);
            default -> new Undefined("'loop' has no attribute '" + name + "'");
        };
    }

    private Value cycle(List<Value> values) {
        if (values.isEmpty()) {
            throw new TemplateException("no items for cycling given");
        }
        return values.get(index % values.size());
    }

    private Value changed(Context context, Args args) {
        List<Value> now = args.rest(0);
        List<Value> before = lastChanged;
        lastChanged = now;
        return Bool.of(before == null || !Operators.equal(context.budget, Seq.list(before), Seq.list(now)));
    }
}

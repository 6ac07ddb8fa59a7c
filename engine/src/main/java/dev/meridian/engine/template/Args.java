package dev.meridian.engine.template;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The evaluated arguments of one call. Whoever reads an argument consumes it; what is left over is an error. */
final class Args {
    final List<Value> positional;
    final Map<String, Value> named;
    private final Set<String> consumed = new HashSet<>();
    private int taken;

    Args(List<Value> positional, Map<String, Value> named) {
        this.positional = positional;
        this.named = named;
    }

    static Args of(Value... positional) {
        return new Args(List.of(positional), Map.of());
    }

    Value required(int index, String name) {
        if (!has(index, name)) {
            throw new TemplateException("missing argument '" + name + "'");
        }
        return optional(index, name, Value.None.NONE);
    }

    Value optional(int index, String name, Value fallback) {
        taken = Math.max(taken, index + 1);
        consumed.add(name);
        if (index < positional.size()) {
            return positional.get(index);
        }
        return named.getOrDefault(name, fallback);
    }

    boolean has(int index, String name) {
        return index < positional.size() || named.containsKey(name);
    }

    /** The positional arguments from an index on. */
    List<Value> rest(int from) {
        taken = positional.size();
        return positional.subList(Math.min(from, positional.size()), positional.size());
    }

    Map<String, Value> allNamed() {
        consumed.addAll(named.keySet());
        return named;
    }

    Args withFirst(Value first) {
        List<Value> all = new ArrayList<>(positional.size() + 1);
        all.add(first);
        all.addAll(positional);
        return new Args(all, named);
    }

    /** Throws where an argument was given that nobody read. */
    void checkConsumed() {
        if (positional.size() > taken) {
            throw new TemplateException("takes at most " + taken + " arguments, got " + positional.size());
        }
        for (String name : named.keySet()) {
            if (!consumed.contains(name)) {
                throw new TemplateException("unexpected keyword argument '" + name + "'");
            }
        }
    }
}

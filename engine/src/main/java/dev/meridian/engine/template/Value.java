package dev.meridian.engine.template;

import java.util.AbstractList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.RandomAccess;

/** All that a template can touch. Nothing here leads to a Java object outside this package. */
sealed interface Value
        permits Text,
                Value.Int,
                Value.Real,
                Value.Bool,
                Value.None,
                Value.Undefined,
                Value.Seq,
                Value.Dict,
                Value.Namespace,
                Value.Function,
                Loop {

    record Int(long value) implements Value {}

    record Real(double value) implements Value {}

    enum Bool implements Value {
        FALSE,
        TRUE;

        static Bool of(boolean value) {
            return value ? TRUE : FALSE;
        }
    }

    enum None implements Value {
        NONE
    }

    /** A name or an attribute that does not exist; it prints as nothing, and its attributes are errors. */
    record Undefined(String reason) implements Value {}

    /** An immutable sequence; {@code items} is never changed after construction. */
    record Seq(List<Value> items, Kind kind) implements Value {
        enum Kind {
            LIST,
            TUPLE,
            RANGE,
            /** What Python calls a generator or a view: it can be walked, not printed. */
            ITERATOR
        }

        static Seq list(List<Value> items) {
            return new Seq(Collections.unmodifiableList(items), Kind.LIST);
        }

        static Seq tuple(List<Value> items) {
            return new Seq(Collections.unmodifiableList(items), Kind.TUPLE);
        }

        static Seq iterator(List<Value> items) {
            return new Seq(Collections.unmodifiableList(items), Kind.ITERATOR);
        }
    }

    /** An immutable mapping in insertion order; keys are scalars. */
    record Dict(Map<Value, Value> entries) implements Value {}

    /** The only thing that a template can change: {@code {% set ns.x = … %}}. Compared by identity. */
    final class Namespace implements Value {
        final Map<String, Value> attributes;

        Namespace(Map<String, Value> attributes) {
            this.attributes = attributes;
        }
    }

    /** A macro, a global function or a bound method. Compared by identity. */
    final class Function implements Value {
        final String name;
        final Builtin body;

        Function(String name, Builtin body) {
            this.name = name;
            this.body = body;
        }
    }

    /** The numbers of {@code range}, made when asked for, so that a huge range costs nothing until it is walked. */
    final class RangeList extends AbstractList<Value> implements RandomAccess {
        final long start;
        final long stop;
        final long step;
        private final int size;

        RangeList(long start, long stop, long step) {
            this.start = start;
            this.stop = stop;
            this.step = step;
            if (step == 0) {
                throw new TemplateException("range() arg 3 must not be zero");
            }
            long span = step > 0 ? Math.subtractExact(stop, start) : Math.subtractExact(start, stop);
            long count = span <= 0 ? 0 : (span - 1) / Math.absExact(step) + 1;
            if (count > Integer.MAX_VALUE) {
                throw new TemplateException("range() is too long");
            }
            size = (int) count;
        }

        @Override
        public Value get(int index) {
            return new Int(start + index * step);
        }

        @Override
        public int size() {
            return size;
        }
    }
}

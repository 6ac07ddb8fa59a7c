package dev.meridian.engine.template;

import java.util.ArrayList;
import java.util.List;

/** Python's slices with negative indices and steps; strings are cut by code point. */
final class Slices {
    private Slices() {}

    static Value slice(Budget budget, Value target, Value from, Value to, Value step) {
        long stride = step instanceof Value.None ? 1 : Arithmetic.integer(step);
        if (stride == 0) {
            throw new TemplateException("slice step cannot be zero");
        }
        return switch (target) {
            case Text text -> text(budget, text, bounds(text.codePoints(), from, to, stride));
            case Value.Seq seq
            when seq.kind() != Value.Seq.Kind.ITERATOR ->
                sequence(budget, seq, bounds(seq.items().size(), from, to, stride));
            case Value.Undefined(String reason) -> throw new TemplateException(reason);
            default -> throw new TemplateException(Sequences.typeName(target) + " cannot be sliced");
        };
    }

    /** The first index, how many there are, and the distance between them. */
    private record Bounds(int start, int count, int stride) {}

    private static Bounds bounds(int size, Value from, Value to, long wantedStride) {
        int stride = Math.clamp(wantedStride, -Integer.MAX_VALUE, Integer.MAX_VALUE);
        int low = stride > 0 ? 0 : -1;
        int high = stride > 0 ? size : size - 1;
        int start = from instanceof Value.None ? (stride > 0 ? low : high) : bound(from, size, low, high);
        int stop = to instanceof Value.None ? (stride > 0 ? high : low) : bound(to, size, low, high);
        long span = stride > 0 ? (long) stop - start : (long) start - stop;
        return new Bounds(start, span <= 0 ? 0 : (int) ((span - 1) / Math.abs(stride) + 1), stride);
    }

    private static int bound(Value value, int size, int low, int high) {
        long index = Arithmetic.integer(value);
        return Math.clamp(index < 0 ? index + size : index, low, high);
    }

    private static Text text(Budget budget, Text text, Bounds bounds) {
        budget.chargeText(text.length());
        if (bounds.count == 0) {
            return Text.EMPTY;
        }
        if (bounds.stride == 1) {
            return text.slice(text.offsetOf(bounds.start), text.offsetOf(bounds.start + bounds.count));
        }
        int[] codePoints = text.chars().codePoints().toArray();
        int[] offsets = new int[codePoints.length + 1];
        for (int i = 0; i < codePoints.length; i++) {
            offsets[i + 1] = offsets[i] + Character.charCount(codePoints[i]);
        }
        Text.Builder picked = new Text.Builder();
        for (int i = 0; i < bounds.count; i++) {
            int at = bounds.start + i * bounds.stride;
            picked.append(text, offsets[at], offsets[at + 1]);
        }
        return picked.build();
    }

    private static Value sequence(Budget budget, Value.Seq seq, Bounds bounds) {
        budget.charge(bounds.count);
        List<Value> picked = new ArrayList<>(bounds.count);
        for (int i = 0; i < bounds.count; i++) {
            picked.add(seq.items().get(bounds.start + i * bounds.stride));
        }
        return new Value.Seq(picked, seq.kind() == Value.Seq.Kind.TUPLE ? seq.kind() : Value.Seq.Kind.LIST);
    }
}

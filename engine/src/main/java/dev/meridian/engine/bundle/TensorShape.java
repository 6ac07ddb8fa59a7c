package dev.meridian.engine.bundle;

import dev.meridian.engine.bundle.OnnxFile.Dim;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Type and dimensions of a value inside a graph. A dimension that varies from run to run is one of the negative constants;
 * two values that have the same one always agree in it.
 */
record TensorShape(ElementType type, List<Long> dims) {
    /** Rows that run together. */
    static final long BATCH = -1;
    /** Tokens of each row. */
    static final long TOKENS = -2;
    /** Tokens of all rows. */
    static final long ALL_TOKENS = -3;
    /** Rows of logits that are wanted. */
    static final long WANTED = -4;
    /** Positions that a cache has room for. */
    static final long POSITIONS = -5;
    /** The same under the name that outputs give it. */
    static final long PRESENT = -6;
    /** Sequences that a cache has room for. */
    static final long SLOTS = -7;

    private static final List<String> NAMES = List.of("B", "S", "B*S", "n", "P", "T", "slots");

    static TensorShape of(ElementType type, long... dims) {
        return new TensorShape(type, java.util.Arrays.stream(dims).boxed().toList());
    }

    static TensorShape floats(long... dims) {
        return of(ElementType.FLOAT, dims);
    }

    long last() {
        return dims.isEmpty() ? 1 : dims.getLast();
    }

    /** All dimensions but the last, then {@code last}. */
    TensorShape withLast(long last) {
        return new TensorShape(
                type,
                Stream.concat(dims.stream().limit(dims.size() - 1L), Stream.of(last))
                        .toList());
    }

    /** Whether an input or output is declared with exactly this shape. */
    boolean isDeclaredBy(OnnxFile.Value value) {
        return value.type() == type
                && value.dims().size() == dims.size()
                && java.util.stream.IntStream.range(0, dims.size()).allMatch(i -> switch (value.dims()
                        .get(i)) {
                    case Dim.Fixed(long size) -> size == dims.get(i);
                    case Dim.Named(String name) -> dims.get(i) < 0 && name.equals(name(dims.get(i)));
                });
    }

    private static String name(long dim) {
        return dim < 0 ? NAMES.get((int) (-dim - 1)) : Long.toString(dim);
    }

    @Override
    public String toString() {
        return type + dims.stream().map(TensorShape::name).collect(Collectors.joining(", ", " [", "]"));
    }
}

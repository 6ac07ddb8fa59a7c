package dev.meridian.engine.bundle;

import dev.meridian.engine.bundle.OnnxFile.Dim;
import dev.meridian.engine.bundle.OnnxFile.Value;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The part of {@link OnnxParser} that reads types: {@code ValueInfoProto}, {@code TypeProto}, {@code TensorShapeProto}. */
final class OnnxValueParser {
    static final int MAX_RANK = 8;

    private OnnxValueParser() {}

    static Value value(ProtoReader in) {
        String name = "";
        Value typed = null;
        while (in.next()) {
            switch (in.field()) {
                case 1 -> name = in.once().name(OnnxParser.MAX_NAME_BYTES);
                case 2 -> typed = type(in.once().message("a type"));
                case 3 -> in.once().remark(OnnxParser.MAX_TEXT_BYTES);
                case 4 -> OnnxParser.entry(in.message("metadata"), new HashMap<>());
                default -> throw in.unknown();
            }
        }
        if (typed == null) {
            throw in.fault("value '" + name + "' has no type");
        }
        return new Value(name, typed.type(), typed.dims());
    }

    /** A type as a value without a name. */
    private static Value type(ProtoReader in) {
        Value tensor = null;
        while (in.next()) {
            switch (in.field()) {
                case 1 -> tensor = tensorType(in.once().message("a tensor's type"));
                case 6 -> in.once().remark(OnnxParser.MAX_NAME_BYTES);
                default -> throw in.fault("type " + in.field() + " is no dense tensor");
            }
        }
        if (tensor == null) {
            throw in.fault("no dense tensor");
        }
        return tensor;
    }

    private static Value tensorType(ProtoReader in) {
        ElementType type = null;
        List<Dim> dims = new ArrayList<>();
        while (in.next()) {
            switch (in.field()) {
                case 1 -> type = elementType(in);
                case 2 -> shape(in.once().message("a shape"), dims);
                default -> throw in.unknown();
            }
        }
        if (type == null) {
            throw in.fault("no element type");
        }
        return new Value("", type, List.copyOf(dims));
    }

    static ElementType elementType(ProtoReader in) {
        int number = in.once().int32();
        return ElementType.of(number).orElseThrow(() -> in.fault("element type " + number + " is not supported"));
    }

    private static void shape(ProtoReader in, List<Dim> into) {
        while (in.next()) {
            if (in.field() != 1) {
                throw in.unknown();
            }
            if (into.size() == MAX_RANK) {
                throw in.fault("more than " + MAX_RANK + " dimensions");
            }
            into.add(dim(in.message("a dimension")));
        }
    }

    private static Dim dim(ProtoReader in) {
        @Nullable Dim dim = null;
        while (in.next()) {
            if (in.field() == 3) {
                in.once().remark(OnnxParser.MAX_NAME_BYTES);
                continue;
            }
            if (dim != null) {
                throw in.fault("a dimension that is given twice");
            }
            dim = switch (in.field()) {
                case 1 -> new Dim.Fixed(in.int64());
                case 2 -> new Dim.Named(in.name(OnnxParser.MAX_NAME_BYTES));
                default -> throw in.unknown();
            };
        }
        if (dim instanceof Dim.Fixed fixed && fixed.size() < 0) {
            throw in.fault("a dimension of " + fixed.size());
        }
        return dim == null ? new Dim.Named("") : dim;
    }
}

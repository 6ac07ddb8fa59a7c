package dev.meridian.engine.bundle;

import dev.meridian.engine.bundle.OnnxFile.Data;
import dev.meridian.engine.bundle.OnnxFile.Initializer;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** The part of {@link OnnxParser} that reads {@code TensorProto}; sizes that differ from the shape's are faults. */
final class OnnxTensorParser {
    private static final int LOCATION_EXTERNAL = 1;
    private static final int MAX_DECIMAL_DIGITS = 19;

    private final ProtoReader in;
    private final List<Long> dims = new ArrayList<>();
    private final Map<String, String> external = new HashMap<>();
    private String name = "";
    private @Nullable ElementType type;
    private int location;
    private @Nullable ByteBuffer raw;
    /** Which of the typed lists has values, 0 where none has. */
    private int typedField;

    private long typedCount;

    private OnnxTensorParser(ProtoReader in) {
        this.in = in;
    }

    static Initializer tensor(ProtoReader in) {
        OnnxTensorParser parser = new OnnxTensorParser(in);
        while (in.next()) {
            parser.field();
        }
        return parser.finish();
    }

    private void field() {
        switch (in.field()) {
            case 1 -> OnnxParser.longs(in, dims);
            case 2 -> type = OnnxValueParser.elementType(in);
            case 4, 5, 7, 10, 11 -> typed();
            case 8 -> name = in.once().name(OnnxParser.MAX_NAME_BYTES);
            case 9 -> raw = in.once().bytes();
            case 12 -> in.once().remark(OnnxParser.MAX_TEXT_BYTES);
            case 13 -> OnnxParser.entry(in.message("external data"), external);
            case 14 -> location = in.once().int32();
            case 16 -> OnnxParser.entry(in.message("metadata"), new HashMap<>());
            default -> throw in.unknown();
        }
        if (dims.size() > OnnxValueParser.MAX_RANK) {
            throw in.fault("more than " + OnnxValueParser.MAX_RANK + " dimensions");
        }
    }

    /** Counts the values of a typed list without keeping them. */
    private void typed() {
        if (typedField != 0 && typedField != in.field()) {
            throw in.fault("values of two kinds");
        }
        typedField = in.field();
        if (!in.isPacked()) {
            switch (typedField) {
                case 4 -> in.float32();
                case 10 -> in.fixed64();
                default -> in.int64();
            }
            typedCount++;
            return;
        }
        ProtoReader packed = in.packed();
        while (packed.hasMore()) {
            switch (typedField) {
                case 4 -> packed.packedFloat32();
                case 10 -> packed.packedFixed64();
                default -> packed.packedInt64();
            }
            typedCount++;
        }
    }

    private Initializer finish() {
        ElementType known = type;
        if (known == null) {
            throw fault("no element type");
        }
        long bytes = size(known);
        boolean isExternal = location == LOCATION_EXTERNAL;
        if (location != 0 && !isExternal) {
            throw fault("data location " + location);
        }
        if (!external.isEmpty() && !isExternal) {
            throw fault("external data, but its location is in the file");
        }
        if ((isExternal ? 1 : 0) + (raw == null ? 0 : 1) + (typedField == 0 ? 0 : 1) > 1) {
            throw fault("values in more than one place");
        }
        return new Initializer(name, known, List.copyOf(dims), bytes, isExternal ? external() : inline(known, bytes));
    }

    private long size(ElementType known) {
        try {
            long elements = 1;
            for (long dim : dims) {
                if (dim < 0) {
                    throw fault("dimensions " + dims + " are negative");
                }
                elements = Math.multiplyExact(elements, dim);
            }
            return Math.ceilDiv(Math.multiplyExact(elements, known.bits()), Byte.SIZE);
        } catch (ArithmeticException e) {
            throw fault("dimensions " + dims + " are too large");
        }
    }

    private Data inline(ElementType known, long bytes) {
        ByteBuffer view = raw;
        if (view != null) {
            if (view.remaining() != bytes) {
                throw fault(view.remaining() + " bytes of values, the shape " + dims + " takes " + bytes);
            }
            return new Data.Raw(view);
        }
        // Two values of four bits share one number of the list.
        long expected = known.bits() < Byte.SIZE ? bytes : bytes * Byte.SIZE / known.bits();
        if (typedCount != expected || (typedCount > 0 && typedField != listOf(known))) {
            throw fault(typedCount + " values in list " + typedField + ", the shape " + dims + " takes " + expected
                    + " in list " + listOf(known));
        }
        return new Data.Typed();
    }

    /** The field of {@code TensorProto} that holds values of a type. */
    private static int listOf(ElementType type) {
        return switch (type) {
            case FLOAT -> 4;
            case DOUBLE -> 10;
            case INT64 -> 7;
            case UINT32, UINT64 -> 11;
            case UINT8, INT8, UINT16, INT16, INT32, BOOL, FLOAT16, BFLOAT16, UINT4, INT4 -> 5;
        };
    }

    private Data external() {
        String file = external.get("location");
        if (file == null) {
            throw fault("external data without a location");
        }
        for (String key : external.keySet()) {
            switch (key) {
                case "location", "offset", "length", "checksum" -> {}
                default -> throw fault("external data with the unknown key '" + key + "'");
            }
        }
        return new Data.External(file, number("offset").orElse(0), number("length"));
    }

    private OptionalLong number(String key) {
        String value = external.get(key);
        if (value == null) {
            return OptionalLong.empty();
        }
        try {
            // parseLong alone takes signs and digits of other scripts.
            if (value.length() > MAX_DECIMAL_DIGITS || !value.chars().allMatch(c -> c >= '0' && c <= '9')) {
                throw new NumberFormatException();
            }
            return OptionalLong.of(Long.parseLong(value));
        } catch (NumberFormatException e) {
            String shown = value.length() > 40 ? value.substring(0, 40) + "..." : value;
            throw fault("external data's " + key + " '" + shown + "' is no number of bytes");
        }
    }

    private BundleException fault(String what) {
        return in.fault("initializer '" + name + "': " + what);
    }
}

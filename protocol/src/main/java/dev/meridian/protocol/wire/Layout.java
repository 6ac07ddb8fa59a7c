package dev.meridian.protocol.wire;

import com.esotericsoftware.kryo.Kryo;
import com.esotericsoftware.kryo.Serializer;
import com.esotericsoftware.kryo.io.Input;
import com.esotericsoftware.kryo.io.Output;
import java.util.function.BiConsumer;
import java.util.function.Function;

/** A record's fields on the wire, in an order that never changes. Holds no state: any number of Kryos may share one. */
final class Layout<T> extends Serializer<T> {
    private final Class<T> type;
    private final BiConsumer<WireOutput, T> writer;
    private final Function<WireInput, T> reader;

    private Layout(Class<T> type, BiConsumer<WireOutput, T> writer, Function<WireInput, T> reader) {
        super(false, true); // Takes no null; values are immutable.
        this.type = type;
        this.writer = writer;
        this.reader = reader;
    }

    /** Both name every field, in the same order. */
    static <T> Layout<T> of(Class<T> type, BiConsumer<WireOutput, T> writer, Function<WireInput, T> reader) {
        return new Layout<>(type, writer, reader);
    }

    Class<T> type() {
        return type;
    }

    @Override
    public void write(Kryo kryo, Output output, T value) {
        writer.accept((WireOutput) output, value);
    }

    @Override
    public T read(Kryo kryo, Input input, Class<? extends T> type) {
        try {
            return reader.apply((WireInput) input);
        } catch (IllegalArgumentException _) {
            // Its text may quote the value.
            throw new WireException("values that no " + this.type.getSimpleName() + " may have");
        }
    }
}

package dev.meridian.protocol.wire;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.esotericsoftware.kryo.Kryo;
import com.esotericsoftware.kryo.io.ByteBufferOutput;
import dev.meridian.protocol.TokenIds;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorRefResolver;
import org.jspecify.annotations.Nullable;

/**
 * Kryo's output with the protocol's own kinds of fields. What passes a cap is refused here, by name, and not on the far
 * side. One message, one thread.
 */
final class WireOutput extends ByteBufferOutput {
    private final Kryo kryo;
    private final ActorRefResolver refs;

    /**
     * Writes from the buffer's position on; a buffer on the heap is exchanged for a larger one, up to {@code maxBytes}.
     */
    WireOutput(Kryo kryo, ActorRefResolver refs, ByteBuffer buffer, int maxBytes) {
        super(buffer, maxBytes);
        this.kryo = kryo;
        this.refs = refs;
    }

    /** A record whose type the reader knows. */
    void writeRecord(Object value) {
        kryo.writeObject(this, value);
    }

    /** A record of a sealed interface, its id in front. */
    void writeVariant(Object value) {
        writeNumber(kryo.getRegistration(value.getClass()).getId());
        kryo.writeObject(this, value);
    }

    /** 1 to 5 bytes, few for small values that are not negative. */
    void writeNumber(int value) {
        writeVarInt(value, true);
    }

    /** 1 to 9 bytes, few for small values that are not negative. */
    void writeNumber(long value) {
        writeVarLong(value, true);
    }

    /** As UTF-8; half a surrogate pair, which the edge refuses, becomes a question mark. */
    void writeText(String what, int maxBytes, String text) {
        // No text has fewer bytes than chars: one that is far too long is refused before it is encoded.
        requireAtMost(what, text.length(), maxBytes);
        byte[] utf8 = text.getBytes(UTF_8);
        writeCount(what, utf8.length, maxBytes);
        writeBytes(utf8);
    }

    <T> void writeList(String what, int max, List<T> elements, Consumer<T> element) {
        writeCount(what, elements.size(), max);
        elements.forEach(element);
    }

    void writeTokenIds(String what, TokenIds ids) {
        writeCount(what, ids.size(), Caps.TOKENS);
        for (int i = 0; i < ids.size(); i++) {
            writeNumber(ids.get(i));
        }
    }

    <T> void writeNullable(@Nullable T value, Consumer<T> present) {
        writeBoolean(value != null);
        if (value != null) {
            present.accept(value);
        }
    }

    void writeRef(String what, ActorRef<?> ref) {
        writeText(what, Caps.REF, refs.toSerializationFormat(ref));
    }

    void writeCount(String what, int count, int max) {
        requireAtMost(what, count, max);
        writeNumber(count);
    }

    private static void requireAtMost(String what, int count, int max) {
        if (count > max) {
            throw new WireException(what + ": " + count + " are more than " + max);
        }
    }
}

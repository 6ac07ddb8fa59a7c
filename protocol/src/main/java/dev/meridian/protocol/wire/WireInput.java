package dev.meridian.protocol.wire;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.esotericsoftware.kryo.Kryo;
import com.esotericsoftware.kryo.Registration;
import com.esotericsoftware.kryo.io.ByteBufferInput;
import dev.meridian.protocol.TokenIds;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorRefResolver;
import org.jspecify.annotations.Nullable;

/**
 * Kryo's input with the protocol's own kinds of fields. Kryo's methods that allocate what a length claims (texts,
 * arrays, classes by name) are not used. Throws {@link WireException}. One message, one thread.
 */
final class WireInput extends ByteBufferInput {
    private final Kryo kryo;
    private final ActorRefResolver refs;

    WireInput(Kryo kryo, ActorRefResolver refs, ByteBuffer buffer) {
        super(buffer);
        this.kryo = kryo;
        this.refs = refs;
    }

    <T> T readRecord(Class<T> type) {
        return kryo.readObject(this, type);
    }

    /** One of a sealed interface's records, by its id. */
    <T> T readVariant(Class<T> kind) {
        int id = readNumber();
        Registration registered = kryo.getRegistration(id);
        if (registered == null || !kind.isAssignableFrom(registered.getType())) {
            throw new WireException("no " + kind.getSimpleName() + " has the id " + id);
        }
        Class<?> type = registered.getType();
        return kind.cast(kryo.readObject(this, type));
    }

    int readNumber() {
        return readVarInt(true);
    }

    long readLongNumber() {
        return readVarLong(true);
    }

    String readText(String what, int maxBytes) {
        byte[] utf8 = readBytes(readCount(what, maxBytes));
        String text = new String(utf8, UTF_8);
        // Malformed bytes become this character, and then come out as others than went in.
        if (text.indexOf('\uFFFD') >= 0 && !Arrays.equals(utf8, text.getBytes(UTF_8))) {
            throw new WireException(what + ": no UTF-8");
        }
        return text;
    }

    <T> List<T> readList(String what, int max, Supplier<T> element) {
        int count = readCount(what, max);
        List<T> elements = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            elements.add(element.get());
        }
        return elements;
    }

    TokenIds readTokenIds(String what) {
        int[] ids = new int[readCount(what, Caps.TOKENS)];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = readNumber();
        }
        return TokenIds.of(ids);
    }

    <T> @Nullable T readNullable(String what, Supplier<T> present) {
        return readFlag(what) ? present.get() : null;
    }

    boolean readFlag(String what) {
        int flag = readByte();
        if (flag != 0 && flag != 1) {
            throw new WireException(what + ": a flag of " + flag);
        }
        return flag == 1;
    }

    /** A reference to no actor of this system resolves to one that drops what it is told. */
    <T> ActorRef<T> readRef(String what) {
        return refs.resolveActorRef(readText(what, Caps.REF));
    }

    /** How many elements follow; each has at least one byte, so more than the bytes that are left cannot be true. */
    int readCount(String what, int max) {
        int count = readNumber();
        if (count < 0 || count > max) {
            throw new WireException(what + ": " + Integer.toUnsignedString(count) + " are more than " + max);
        }
        if (count > limit - position) {
            throw new WireException(what + ": " + count + " in " + (limit - position) + " bytes");
        }
        return count;
    }

    void requireEnd() {
        if (position != limit) {
            throw new WireException((limit - position) + " bytes behind the last field");
        }
    }

    /** There is nothing to fill the buffer from, and Kryo would move the bytes of Pekko's buffer before it noticed. */
    @Override
    protected int require(int required) {
        if (limit - position < required) {
            throw new WireException("the bytes end inside a field");
        }
        return limit - position;
    }
}

package dev.meridian.protocol.wire;

import com.esotericsoftware.kryo.Kryo;
import com.esotericsoftware.kryo.io.KryoBufferOverflowException;
import com.esotericsoftware.kryo.util.Pool;
import java.io.NotSerializableException;
import java.nio.BufferOverflowException;
import java.nio.ByteBuffer;
import org.apache.pekko.actor.ExtendedActorSystem;
import org.apache.pekko.actor.typed.ActorRefResolver;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.apache.pekko.serialization.ByteBufferSerializer;
import org.apache.pekko.serialization.SerializerWithStringManifest;

/**
 * Pekko's serializer of the messages of {@link WireTable}, over Kryo with fixed ids and explicit fields. The manifest is the message's id: an unknown one is refused before a byte is read, and Artery
 * compresses manifests that come often. Safe for any thread.
 *
 * <p>What may not be sent throws {@link WireException}, what cannot be read {@link NotSerializableException}, Pekko's
 * own name for a message that it drops and logs while the connection stays. Neither text holds content.
 */
public final class WireSerializer extends SerializerWithStringManifest implements ByteBufferSerializer {
    /** Names this serializer on the wire: never changes. */
    public static final int IDENTIFIER = 7355;

    /** The longest message in bytes, without Pekko's envelope. */
    public static final int MAX_BYTES = 8 << 20;

    /** Most messages fit; a longer one's array doubles. */
    private static final int FIRST_BYTES = 1024;

    /** More than the lanes and dispatcher threads that use one at a time; further ones are made and thrown away. */
    private static final int MAX_POOLED = 64;

    private final ExtendedActorSystem system;
    private final Pool<Kryo> kryos = new Pool<>(true, false, MAX_POOLED) {
        @Override
        protected Kryo create() {
            return WireTable.newKryo();
        }
    };

    /** Called by Pekko while the system starts. */
    public WireSerializer(ExtendedActorSystem system) {
        this.system = system;
    }

    @Override
    public int identifier() {
        return IDENTIFIER;
    }

    @Override
    public String manifest(Object message) {
        return WireTable.manifest(message);
    }

    @Override
    public byte[] toBinary(Object message) {
        try {
            return write(message, ByteBuffer.allocate(FIRST_BYTES), MAX_BYTES).toBytes();
        } catch (KryoBufferOverflowException _) {
            throw tooLong(message);
        }
    }

    /** Throws BufferOverflowException where the buffer ends: to Artery that is a message too long for its frames. */
    @Override
    public void toBinary(Object message, ByteBuffer buffer) {
        int start = buffer.position();
        try {
            write(message, buffer, buffer.capacity());
        } catch (KryoBufferOverflowException _) {
            throw new BufferOverflowException();
        }
        if (buffer.position() - start > MAX_BYTES) {
            throw tooLong(message);
        }
    }

    private WireOutput write(Object message, ByteBuffer buffer, int maxBytes) {
        WireTable.manifest(message);
        Kryo kryo = kryos.obtain();
        try {
            WireOutput out = new WireOutput(kryo, refs(), buffer, maxBytes);
            out.writeRecord(message);
            return out;
        } finally {
            kryos.free(kryo);
        }
    }

    private static WireException tooLong(Object message) {
        return new WireException(message.getClass().getSimpleName() + ": more than " + MAX_BYTES + " bytes");
    }

    @Override
    public Object fromBinary(byte[] bytes, String manifest) throws NotSerializableException {
        return fromBinary(ByteBuffer.wrap(bytes), manifest);
    }

    @Override
    public Object fromBinary(ByteBuffer buffer, String manifest) throws NotSerializableException {
        Class<?> type = WireTable.messageOf(manifest);
        if (type == null) {
            throw new NotSerializableException("a message with an unknown id");
        }
        if (buffer.remaining() > MAX_BYTES) {
            throw new NotSerializableException(type.getSimpleName() + ": " + buffer.remaining() + " bytes");
        }
        Kryo kryo = kryos.obtain();
        try {
            WireInput in = new WireInput(kryo, refs(), buffer);
            Object message = in.readRecord(type);
            in.requireEnd();
            return message;
        } catch (WireException e) {
            throw unreadable(type, String.valueOf(e.getMessage()));
        } catch (RuntimeException e) {
            // Its text may quote the bytes.
            throw unreadable(type, e.getClass().getSimpleName());
        } finally {
            kryos.free(kryo);
        }
    }

    private static NotSerializableException unreadable(Class<?> type, String reason) {
        return new NotSerializableException(type.getSimpleName() + ": " + reason);
    }

    /** Looked up for each message: while the system starts and makes its serializers, there is none yet. */
    private ActorRefResolver refs() {
        return ActorRefResolver.get(Adapter.toTyped(system));
    }
}

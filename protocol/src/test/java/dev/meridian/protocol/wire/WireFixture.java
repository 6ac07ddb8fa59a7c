package dev.meridian.protocol.wire;

import com.typesafe.config.ConfigFactory;
import java.io.NotSerializableException;
import java.nio.ByteBuffer;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorRefResolver;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.apache.pekko.serialization.Serialization;
import org.apache.pekko.serialization.SerializationExtension;

/** An actor system whose name never changes, so that the bytes of references are always the same. */
final class WireFixture implements AutoCloseable {
    final ActorTestKit kit = ActorTestKit.create(
            "wire", ConfigFactory.parseString("pekko.loglevel = OFF").withFallback(ConfigFactory.load()));
    final Serialization serialization = SerializationExtension.get(Adapter.toClassic(kit.system()));
    final WireSerializer serializer =
            (WireSerializer) serialization.serializerByIdentity().apply(WireSerializer.IDENTIFIER);

    /** To an actor that this system never had. */
    <T> ActorRef<T> ref(String name) {
        return ActorRefResolver.get(kit.system()).resolveActorRef("pekko://wire/user/" + name);
    }

    byte[] write(Object message) {
        return serializer.toBinary(message);
    }

    Object read(byte[] bytes, Object like) throws NotSerializableException {
        return serializer.fromBinary(bytes, serializer.manifest(like));
    }

    /** As Artery does it: from one direct buffer, with other bytes before and behind. */
    Object throughBuffer(Object message) throws NotSerializableException {
        ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 20);
        buffer.position(17);
        serializer.toBinary(message, buffer);
        int end = buffer.position();
        buffer.limit(end).position(17);
        Object read = serializer.fromBinary(buffer, serializer.manifest(message));
        if (buffer.position() != end) {
            throw new AssertionError("stopped at " + buffer.position() + " of " + end);
        }
        return read;
    }

    @Override
    public void close() {
        kit.shutdownTestKit();
    }
}

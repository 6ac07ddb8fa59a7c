package dev.meridian.protocol.wire;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.esotericsoftware.kryo.io.ByteBufferOutput;
import com.sun.management.ThreadMXBean;
import dev.meridian.protocol.cluster.PinTable;
import dev.meridian.protocol.cluster.PlacementRefusal;
import dev.meridian.protocol.cluster.PlacementReply;
import dev.meridian.protocol.message.ReplicaCommand.Cancel;
import dev.meridian.protocol.message.ReplicaCommand.Resend;
import java.io.NotSerializableException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever bytes come: one kind of exception without content, little memory, and the next message is read. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class WireFuzzTest {
    private static final int MUTATIONS = 2500;
    private static final long FIXED_BYTES = 64 << 10;
    private static final long BYTES_PER_BYTE = 64;

    /** Varints of 2^20 - 1, 2^23, the largest int, and -1. */
    private static final List<byte[]> LENGTHS =
            List.of(hex("ffff3f"), hex("80808004"), hex("ffffffff07"), hex("ffffffff0f"));

    private final WireFixture fixture = new WireFixture();
    private final WireSamples samples = new WireSamples(fixture);
    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    @AfterAll
    void shutdown() {
        fixture.close();
    }

    List<Object> full() {
        return samples.full();
    }

    @ParameterizedTest
    @MethodSource("full")
    void mutatedBytesAreRefusedOrRead(Object message) throws NotSerializableException {
        byte[] good = fixture.write(message);
        String manifest = fixture.serializer.manifest(message);
        assertThat(fixture.read(good.clone(), message)).isEqualTo(message);
        Random random = new Random(7355);

        for (int i = 0; i < MUTATIONS; i++) {
            attack(mutated(good, random), manifest, i);
        }
        for (int at = 0; at <= good.length; at++) {
            attack(Arrays.copyOf(good, at), manifest, at);
            for (byte[] length : LENGTHS) {
                attack(spliced(good, at, Math.min(1, good.length - at), length), manifest, at);
            }
        }
        assertThat(fixture.read(good, message)).isEqualTo(message);
    }

    @Test
    void noiseIsRefused() {
        Random random = new Random(1);
        for (WireTable.Row row : WireTable.MESSAGES) {
            for (int i = 0; i < 1000; i++) {
                byte[] noise = new byte[random.nextInt(300)];
                random.nextBytes(noise);
                attack(noise, row.manifest(), i);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("full")
    void bytesBehindAMessageAreRefused(Object message) {
        byte[] good = fixture.write(message);

        assertThatThrownBy(() -> fixture.read(Arrays.copyOf(good, good.length + 1), message))
                .isInstanceOf(NotSerializableException.class)
                .hasMessage(message.getClass().getSimpleName() + ": 1 bytes behind the last field");
    }

    @Test
    void whatIsWrongIsSaid() {
        Cancel cancel = new Cancel(WireSamples.attempt(1));

        assertRefused("", cancel, "Cancel: the bytes end inside a field");
        assertRefused("0461", cancel, "Cancel: request id: 4 in 1 bytes");
        assertRefused("c101", cancel, "Cancel: request id: 193 are more than 192");
        assertRefused("ffffffff0f", cancel, "Cancel: request id: 4294967295 are more than 192");
        assertRefused("016100", cancel, "Cancel: values that no Attempt may have");
        assertRefused("0001", cancel, "Cancel: values that no Attempt may have");
        assertRefused("01610101", cancel, "Cancel: 1 bytes behind the last field");
        assertRefused("01610101", new Resend(cancel.attempt(), 1, 1), "Resend: the bytes end inside a field");
        Object refused = samples.full().get(6);
        assertRefused("01610107", refused, "Refused: no Refusal has the id 7");
        assertRefused("01610129", refused, "Refused: no Refusal has the id 41");
        assertRefused("016101330102", refused, "Refused: counted: a flag of 2");
        assertRefused("0161010001", refused, "Refused: no Refusal has the id 0");
        Object submit = samples.full().getFirst();
        assertRefused("0161010178002a", submit, "Submit: the bytes end inside a field");
        assertRefused("0161010178002800", submit, "Submit: values that no Chat may have");
        assertRefused("016101017800280109", submit, "Submit: no Role has the code 9");
        assertRefused("01610101780028ffff7f", submit, "Submit: messages: 2097151 are more than 16384");
        assertRefused("01610101780028090101", submit, "Submit: messages: 9 in 2 bytes");
        assertRefused("0161010178002902c328", submit, "Submit: prompt text: no UTF-8");
        Object table = PinTable.empty("");

        assertRefused("0265750102", table, "PinTable: pins: 2 in 0 bytes");
        assertRefused("0265750101026575016d41", table, "PinTable: digest: 65 are more than 64");
        assertRefused("0265750101026575016d016101", table, "PinTable: values that no ReplicaId may have");
        assertRefused("02657501000002", table, "PinTable: placements: 2 in 0 bytes");
        assertRefused("0265750100000101610000", table, "PinTable: the bytes end inside a field");
        assertRefused("0265750100000101616400", table, "PinTable: values that no ModelPlacement may have");
        assertRefused("0265750100000002", table, "PinTable: changes: 2 in 0 bytes");
        assertRefused("026575010000000101610900", table, "PinTable: no Verb has the code 9");
        Object reply = new PlacementReply.Refused(PlacementRefusal.NO_ROOM, "");
        assertRefused("1a00", reply, "Refused: no PlacementRefusal has the code 26");
    }

    private void assertRefused(String bytes, Object like, String message) {
        assertThatThrownBy(() -> fixture.read(hex(bytes), like))
                .isInstanceOf(NotSerializableException.class)
                .hasMessage(message);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "/",
                "canary",
                "pekko://wire",
                "pekko://wire/user/%00%zz",
                "pekko://wire/user/a#99999999999999999999",
                "pekko://wire@[::1/user/a",
                "pekko://wire@host:99999999/user/a",
                "pekko://wire@canary:0/user/a",
                "http://canary/"
            })
    void aReferenceMayBeAnyText(String ref) {
        attack(heartbeatFrom(ref), "114", 0);
        attack(heartbeatFrom(ref.repeat(2)), "114", 0);
        attack(heartbeatFrom(ref + "/a".repeat(900)), "114", 0);
        attack(heartbeatFrom(ref + "/user" + "/..".repeat(600)), "114", 0);
    }

    private static byte[] heartbeatFrom(String producer) {
        ByteBufferOutput out = new ByteBufferOutput(ByteBuffer.allocate(4096));
        out.writeVarInt(producer.length(), true);
        out.writeBytes(producer.getBytes(US_ASCII));
        out.writeVarInt(1, true);
        out.writeVarInt(0, true);
        return out.toBytes();
    }

    @Test
    void anUnknownIdIsRefused() {
        for (String manifest : List.of("", "20", "41", "99", "canary", "9".repeat(100_000))) {
            assertThatThrownBy(() -> fixture.serializer.fromBinary(new byte[1], manifest))
                    .isInstanceOf(NotSerializableException.class)
                    .hasMessage("a message with an unknown id");
        }
    }

    @Test
    void moreBytesThanAMessageMayHaveAreRefusedUnread() {
        ByteBuffer buffer = ByteBuffer.allocate(WireSerializer.MAX_BYTES + 1);

        assertThatThrownBy(() -> fixture.serializer.fromBinary(buffer, "101"))
                .isInstanceOf(NotSerializableException.class)
                .hasMessage("Cancel: 8388609 bytes");
        assertThat(buffer.position()).isZero();
    }

    @Test
    void aBufferIsNotWrittenTo() {
        byte[] bytes = hex("1072657130");
        byte[] before = bytes.clone();

        assertThatThrownBy(() -> fixture.serializer.fromBinary(bytes, "101"))
                .isInstanceOf(NotSerializableException.class);
        assertThatThrownBy(() ->
                        fixture.serializer.fromBinary(ByteBuffer.wrap(bytes).asReadOnlyBuffer(), "101"))
                .hasMessage("Cancel: request id: 16 in 4 bytes");
        assertThat(bytes).isEqualTo(before);
    }

    /** The first use of a class or a text costs more: what is too much is measured again. */
    private void attack(byte[] bytes, String manifest, int round) {
        long most = FIXED_BYTES + BYTES_PER_BYTE * bytes.length;
        if (allocatedByReading(bytes, manifest, round) > most) {
            long allocated = allocatedByReading(bytes, manifest, round);
            assertThat(allocated)
                    .as(() -> "round %d, %s: %s"
                            .formatted(round, manifest, HexFormat.of().formatHex(bytes)))
                    .isLessThanOrEqualTo(most);
        }
    }

    /** What is read can be written, and what is not is refused as it should be. */
    private long allocatedByReading(byte[] bytes, String manifest, int round) {
        long before = threads.getCurrentThreadAllocatedBytes();
        try {
            Object read = fixture.serializer.fromBinary(bytes, manifest);
            long allocated = threads.getCurrentThreadAllocatedBytes() - before;
            fixture.write(read);
            return allocated;
        } catch (NotSerializableException e) {
            long allocated = threads.getCurrentThreadAllocatedBytes() - before;
            assertThat(e).as("round %d", round).hasNoCause().message().doesNotContain(WireSamples.CANARY);
            return allocated;
        } catch (RuntimeException | Error e) {
            throw new AssertionError(
                    "round %d, %s: %s".formatted(round, manifest, HexFormat.of().formatHex(bytes)), e);
        }
    }

    private static byte[] mutated(byte[] good, Random random) {
        byte[] bytes = good.clone();
        for (int changes = 1 + random.nextInt(3); changes > 0; changes--) {
            int at = random.nextInt(bytes.length + 1);
            int rest = bytes.length - at;
            bytes = switch (random.nextInt(6)) {
                case 0 -> Arrays.copyOf(bytes, at);
                case 1 -> spliced(bytes, at, Math.min(1, rest), LENGTHS.get(random.nextInt(LENGTHS.size())));
                case 2 -> spliced(bytes, at, 0, noise(random, 1 + random.nextInt(8)));
                case 3 -> spliced(bytes, at, random.nextInt(rest + 1), new byte[0]);
                case 4 -> spliced(bytes, at, Math.min(1, rest), noise(random, 1));
                default -> flipped(bytes, at, random.nextInt(8));
            };
        }
        return bytes;
    }

    private static byte[] flipped(byte[] bytes, int at, int bit) {
        if (at < bytes.length) {
            bytes[at] ^= (byte) (1 << bit);
        }
        return bytes;
    }

    /** With {@code inserted} in place of {@code removed} bytes. */
    private static byte[] spliced(byte[] bytes, int at, int removed, byte[] inserted) {
        return ByteBuffer.allocate(bytes.length - removed + inserted.length)
                .put(bytes, 0, at)
                .put(inserted)
                .put(bytes, at + removed, bytes.length - at - removed)
                .array();
    }

    private static byte[] noise(Random random, int length) {
        byte[] noise = new byte[length];
        random.nextBytes(noise);
        return noise;
    }

    private static byte[] hex(String bytes) {
        return HexFormat.of().parseHex(bytes);
    }
}

package dev.meridian.protocol.wire;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.NotSerializableException;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The bytes of {@link WireSamples#full()}, in its order: a manifest and what a message was when it was released. They
 * never change; new records come with new ones.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class WireGoldenTest {
    private static final String GOLDEN = """
            100
            0e7265712d30313233343536373839020a7177656e332d302e36622804010a63616e6172792073797302074772c3bcc3
            9f65030be697a5e69cac20f09f99820400013333333f0128000000013333733f01cdcc4c3d01cdcc8c3f0000003f0000
            00bf02050000c8c2ac020000c03fb3ffffffffffffff02f40302020a0a0663616e6172791403020209840700020001c0
            949dffbc311670656b6b6f3a2f2f776972652f757365722f65646765

            100
            0e7265712d30313233343536373839020a7177656e332d302e3662290b63616e6172792074657874013333333f012800
            0000013333733f01cdcc4c3d01cdcc8c3f0000003f000000bf02050000c8c2ac020000c03fb3ffffffffffffff02f403
            02020a0a0663616e6172791403020209840700020001c0949dffbc311670656b6b6f3a2f2f776972652f757365722f65
            646765

            100
            0e7265712d30313233343536373839020a7177656e332d302e36622a0301ac02ffe907013333333f0128000000013333
            733f01cdcc4c3d01cdcc8c3f0000003f000000bf02050000c8c2ac020000c03fb3ffffffffffffff02f40302020a0a06
            63616e6172791403020209840700020001c0949dffbc311670656b6b6f3a2f2f776972652f757365722f65646765

            101
            0e7265712d3031323334353637383903

            102
            0e7265712d303132333435363738390102ac02

            110
            0e7265712d30313233343536373839011670656b6b6f3a2f2f776972652f757365722f686f7374030007f0a204

            111
            0e7265712d3031323334353637383902328002

            111
            0e7265712d303132333435363738390233c0b80201808002

            111
            0e7265712d30313233343536373839023480808080148080808010

            111
            0e7265712d303132333435363738390235046e6f6e65

            111
            0e7265712d3031323334353637383902360a7177656e332d302e3662

            111
            0e7265712d3031323334353637383902370670726f6d70740c63616e61727920696e206974

            111
            0e7265712d3031323334353637383902380d63616e617279207261697365640c

            111
            0e7265712d303132333435363738390239

            111
            0e7265712d30313233343536373839023a

            111
            0e7265712d30313233343536373839023b0c63616e617279206361757365

            112
            1670656b6b6f3a2f2f776972652f757365722f686f7374d209020e7265712d303132333435363738390101820189e807
            0663616e6172790189e8070320636106323036333631000080be020703efbfbd0266300000c0bf0800000000a0c10102
            010ad00fc08db7010e7265712d3031323334353637383901008301880202206100000000

            113
            0e7265712d30313233343536373839010011

            114
            1670656b6b6f3a2f2f776972652f757365722f686f737463020e7265712d3031323334353637383901056f7468657202

            120
            066e6f64652d310765752d77657374020465646765077265706c69636180d095ffbc312a01018080808020808080800c
            010a7177656e332d302e36620c30313233343536373839616280800280a30980e2cfaa0604696e74348088debe010207
            65752d776573740a7177656e332d302e36620c3031323334353637383961620206020a7177656e332d302e36620c3031
            3233343536373839616280800280a30980e2cfaa0604696e74348088debe01041000204b44011670656b6b6f3a2f2f77
            6972652f757365722f686f73740765752d776573740a7177656e332d302e36620c303132333435363738396162020601
            0a7177656e332d302e36620c30313233343536373839616280800280a30980e2cfaa0604696e74348088debe01041000
            204b44001b70656b6b6f3a2f2f776972652f757365722f6469726563746f7279

            121
            066e6f64652d3280d095ffbc3129
            """;

    private static final List<String> EXPECTED = List.of(GOLDEN.strip().split("\n\n"));

    private final WireFixture fixture = new WireFixture();
    private final List<Object> messages = new WireSamples(fixture).full();

    @AfterAll
    void shutdown() {
        fixture.close();
    }

    IntStream indices() {
        return IntStream.range(0, EXPECTED.size());
    }

    @Test
    void everyMessageHasItsBytes() {
        assertThat(messages).hasSameSizeAs(EXPECTED);
        assertThat(messages.stream().map(fixture.serializer::manifest).distinct())
                .containsExactlyInAnyOrderElementsOf(
                        WireTable.MESSAGES.stream().map(WireTable.Row::manifest).toList());
    }

    @ParameterizedTest
    @MethodSource("indices")
    void theBytesOfAMessageNeverChange(int index) {
        Object message = messages.get(index);

        assertThat(fixture.serializer.manifest(message)).isEqualTo(manifest(index));
        assertThat(HexFormat.of().formatHex(fixture.write(message))).isEqualTo(hex(index));
    }

    @ParameterizedTest
    @MethodSource("indices")
    void oldBytesAreReadForever(int index) throws NotSerializableException {
        byte[] bytes = HexFormat.of().parseHex(hex(index));

        assertThat(fixture.serializer.fromBinary(bytes, manifest(index))).isEqualTo(messages.get(index));
    }

    private static String manifest(int index) {
        return EXPECTED.get(index).lines().findFirst().orElseThrow();
    }

    private static String hex(int index) {
        return String.join("", EXPECTED.get(index).lines().skip(1).toList());
    }
}

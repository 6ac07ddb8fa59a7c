package dev.meridian.engine.bundle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.meridian.engine.bundle.OnnxFile.Data;
import dev.meridian.engine.bundle.OnnxFile.Initializer;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

final class OnnxFileTest {
    private static Consumer<Wire> nested(int depth) {
        return graph -> graph.inner(
                1,
                node -> node.text(2, "y").text(4, "If").inner(5, attribute -> {
                    attribute.text(1, "then_branch").number(20, 5);
                    attribute.inner(6, depth == 0 ? _ -> {} : nested(depth - 1));
                }));
    }

    private static Wire tensor(Consumer<Wire> fields) {
        return Wire.model(graph -> graph.inner(5, fields));
    }

    private static Consumer<Wire> external(String key, String value) {
        return tensor -> tensor.number(1, 4)
                .number(2, 1)
                .text(8, "w")
                .number(14, 1)
                .inner(13, entry -> entry.text(1, key).text(2, value));
    }

    static List<Arguments> faults() {
        return List.of(
                Arguments.of(Wire.message(_ -> {}), "no graph"),
                Arguments.of(Wire.message(m -> m.raw(0x0b)), "wire type 3"),
                Arguments.of(Wire.message(m -> m.raw(0x00)), "field number 0"),
                Arguments.of(Wire.message(m -> m.raw(0x08, 0xff)), "ends within a number"),
                Arguments.of(
                        Wire.message(
                                m -> m.raw(0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01)),
                        "more than ten bytes"),
                Arguments.of(Wire.message(m -> m.raw(0x3a, 0x05, 0x00)), "5 bytes, 1 are left"),
                Arguments.of(
                        Wire.message(m -> m.raw(0x3a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01)),
                        "are left"),
                Arguments.of(Wire.message(m -> m.number(1, 8).number(1, 9)), "field 1 comes twice"),
                Arguments.of(Wire.message(m -> m.number(99, 8)), "unknown field 99"),
                Arguments.of(Wire.message(m -> m.inner(25, _ -> {})), "local functions"),
                Arguments.of(Wire.model(g -> g.inner(15, _ -> {})), "sparse initializers"),
                Arguments.of(Wire.model(nested(4)), "graphs nested more than 4 deep"),
                Arguments.of(Wire.model(g -> g.bytes(2, new byte[] {(byte) 0xff})), "not UTF-8"),
                Arguments.of(Wire.model(g -> g.text(2, "a\u0000b")), "a control character"),
                Arguments.of(Wire.model(g -> g.text(2, "x".repeat(2000))), "text of 2000 bytes"),
                Arguments.of(tensor(t -> t.number(2, (1L << 32) | 1)), "does not fit 32 bits"),
                Arguments.of(tensor(t -> t.number(2, 8)), "element type 8 is not supported"),
                Arguments.of(tensor(t -> t.text(8, "w")), "no element type"),
                Arguments.of(tensor(t -> t.number(1, -1).number(2, 1)), "[-1] are negative"),
                Arguments.of(
                        tensor(t -> t.number(1, 1L << 40).number(1, 1L << 40).number(2, 1)), "are too large"),
                Arguments.of(tensor(t -> t.number(1, 2).number(2, 1).bytes(9, new byte[4])), "4 bytes of values"),
                Arguments.of(tensor(t -> t.number(1, 2).number(2, 7).number(7, 5)), "1 values in list 7"),
                Arguments.of(
                        tensor(t -> t.number(1, 1).number(2, 7).number(7, 5).bytes(9, new byte[8])),
                        "values in more than one place"),
                Arguments.of(tensor(external("offset", "0")), "without a location"),
                Arguments.of(tensor(external("owner", "x")), "without a location"),
                Arguments.of(
                        tensor(external("location", "x")
                                .andThen(t ->
                                        t.inner(13, e -> e.text(1, "offset").text(2, "-1")))),
                        "offset '-1' is no number"),
                Arguments.of(
                        tensor(external("location", "x")
                                .andThen(t ->
                                        t.inner(13, e -> e.text(1, "length").text(2, "9223372036854775808")))),
                        "length '9223372036854775808' is no number"),
                Arguments.of(
                        tensor(external("location", "x")
                                .andThen(t ->
                                        t.inner(13, e -> e.text(1, "location").text(2, "y")))),
                        "key 'location' comes twice"));
    }

    @ParameterizedTest
    @MethodSource("faults")
    void whatTwoParsersCouldReadDifferentlyIsRefused(Wire model, String fault) {
        assertThatThrownBy(model::parse)
                .isInstanceOf(BundleException.class)
                .hasMessageStartingWith("test.onnx: byte ")
                .hasMessageContaining(fault);
    }

    @Test
    void constantsComeWithTheirPlaceAndSize() {
        OnnxFile model = tensor(external("location", "w.data")
                        .andThen(t -> t.inner(13, e -> e.text(1, "offset").text(2, "64"))))
                .parse();
        assertThat(model.graph().initializers())
                .containsExactly(new Initializer(
                        "w",
                        ElementType.FLOAT,
                        List.of(4L),
                        16,
                        new Data.External("w.data", 64, OptionalLong.empty())));
    }

    @Test
    void aFileOfManySmallMessagesCostsABoundedNumberOfThem() {
        Wire model = Wire.model(graph -> {
            for (int i = 0; i < 1_000_001; i++) {
                graph.raw(0x0a, 0x00);
            }
        });
        assertThatThrownBy(model::parse).hasMessageContaining("more parts than a model may have");
    }
}

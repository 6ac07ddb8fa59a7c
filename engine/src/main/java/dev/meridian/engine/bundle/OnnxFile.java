package dev.meridian.engine.bundle;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/**
 * An ONNX model file as it was read, by {@link OnnxParser}'s strict rules and bounds: every number in it is in the range
 * of its type, every list is bounded, every initializer's size is what its shape says. Whether names exist, files are
 * there and shapes fit is {@link GraphCheck}'s to say. Immutable; views of the file's bytes must not be changed.
 *
 * @param opsets version by domain, the default domain as an empty text
 * @param metadata {@code metadata_props}
 */
public record OnnxFile(
        String name, long irVersion, Map<String, Long> opsets, Map<String, String> metadata, Graph graph) {

    /** Reads a file of up to 2 GiB without holding it in memory. Nobody may cut it short while this model is used. */
    public static OnnxFile map(Path file) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS)) {
            if (channel.size() > Integer.MAX_VALUE) {
                throw new BundleException(file + ": " + channel.size() + " bytes, no protobuf file has over 2 GiB");
            }
            return of(file.toString(), channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size()));
        } catch (IOException e) {
            throw new BundleException(file + ": " + e.getMessage(), e);
        }
    }

    /** Reads bytes in memory; {@code name} stands in faults. */
    public static OnnxFile of(String name, ByteBuffer bytes) {
        return OnnxParser.parse(name, bytes);
    }

    /** The main graph, or one inside a node's attribute. */
    public record Graph(
            String name, List<Node> nodes, List<Initializer> initializers, List<Value> inputs, List<Value> outputs) {}

    /** An input or output of a graph. A type that is no dense tensor is refused when read. */
    public record Value(String name, ElementType type, List<Dim> dims) {}

    /** A dimension of an input or output. */
    public sealed interface Dim {
        record Fixed(long size) implements Dim {}

        /** One that may vary; the name may be empty. */
        record Named(String name) implements Dim {}
    }

    /**
     * One operator.
     *
     * @param inputs an empty name stands for an input that is left out
     */
    public record Node(
            String name,
            String domain,
            String operator,
            List<String> inputs,
            List<String> outputs,
            Map<String, Attribute> attributes) {}

    /** The value of a node's attribute. */
    public sealed interface Attribute {
        record Int(long value) implements Attribute {}

        record Decimal(float value) implements Attribute {}

        record Text(String value) implements Attribute {}

        record Ints(List<Long> values) implements Attribute {}

        record Decimals(List<Float> values) implements Attribute {}

        record Texts(List<String> values) implements Attribute {}

        record Tensor(Initializer value) implements Attribute {}

        record Subgraph(Graph value) implements Attribute {}
    }

    /**
     * A constant.
     *
     * @param bytes size by shape and element type
     */
    public record Initializer(String name, ElementType type, List<Long> dims, long bytes, Data data) {
        /** The values of an int64 constant whose bytes stand in the model file. */
        public List<Long> longs() {
            if (type != ElementType.INT64 || !(data instanceof Data.Raw raw)) {
                throw new BundleException("initializer " + name + ": no int64 values in the model file itself");
            }
            ByteBuffer values = raw.view().duplicate().clear().order(ByteOrder.LITTLE_ENDIAN);
            Long[] longs = new Long[values.remaining() / Long.BYTES];
            for (int i = 0; i < longs.length; i++) {
                longs[i] = values.getLong(i * Long.BYTES);
            }
            return List.of(longs);
        }
    }

    /** Where a constant's values are. */
    public sealed interface Data {
        /** Little-endian bytes in the model file. */
        record Raw(ByteBuffer view) implements Data {}

        /** Numbers in one of protobuf's typed lists, of the right count. */
        record Typed() implements Data {}

        /**
         * Bytes {@code offset} to {@code offset + bytes - 1} of another file.
         *
         * @param length as the file says; absent where it says nothing
         */
        record External(String location, long offset, OptionalLong length) implements Data {}
    }
}

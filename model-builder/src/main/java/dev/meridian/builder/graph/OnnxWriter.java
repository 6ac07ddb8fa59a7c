package dev.meridian.builder.graph;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import dev.meridian.builder.graph.Onnx.ExternalTensor;
import dev.meridian.builder.graph.Onnx.Graph;
import dev.meridian.builder.graph.Onnx.InlineTensor;
import dev.meridian.builder.graph.Onnx.Node;
import dev.meridian.builder.graph.Onnx.Tensor;
import dev.meridian.builder.graph.Onnx.Value;
import dev.meridian.engine.bundle.GraphCheck;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;

/**
 * Writes an ONNX model by the field numbers of onnx.proto (ONNX 1.17, IR version 8). The bytes follow from the graph
 * alone: no time stamps, no maps without order.
 */
final class OnnxWriter {
    private static final int IR_VERSION = 8;
    private static final int ONNX_OPSET = 17;
    private static final int ATTRIBUTE_FLOAT = 1;
    private static final int ATTRIBUTE_INT = 2;
    private static final int LOCATION_EXTERNAL = 1;

    private final String dataFile;

    private OnnxWriter(String dataFile) {
        this.dataFile = dataFile;
    }

    /** The bytes of the model file; external tensors refer to {@code dataFile} beside it. */
    static byte[] write(Graph graph, String dataFile) {
        return new OnnxWriter(dataFile).model(graph);
    }

    /** Writes the fields of one message. */
    private interface Fields {
        void writeTo(CodedOutputStream out) throws IOException;
    }

    private static byte[] message(Fields fields) {
        try {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            CodedOutputStream out = CodedOutputStream.newInstance(bytes);
            fields.writeTo(out);
            out.flush();
            return bytes.toByteArray();
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory", e);
        }
    }

    private byte[] model(Graph graph) {
        return message(out -> {
            out.writeInt64(1, IR_VERSION);
            out.writeString(2, "meridian");
            out.writeByteArray(7, graph(graph));
            out.writeByteArray(8, opset("", ONNX_OPSET));
            out.writeByteArray(8, opset(DecoderGraph.MICROSOFT, 1));
            if (graph.nodes().stream().anyMatch(node -> node.domain().equals(GraphCheck.OWN_DOMAIN))) {
                out.writeByteArray(8, opset(GraphCheck.OWN_DOMAIN, 1));
            }
        });
    }

    private static byte[] opset(String domain, int version) {
        return message(out -> {
            out.writeString(1, domain);
            out.writeInt64(2, version);
        });
    }

    private byte[] graph(Graph graph) {
        return message(out -> {
            for (int i = 0; i < graph.nodes().size(); i++) {
                out.writeByteArray(1, node(graph.nodes().get(i)));
            }
            out.writeString(2, "decoder");
            for (Tensor tensor : graph.initializers()) {
                out.writeByteArray(5, tensor(tensor));
            }
            for (Value input : graph.inputs()) {
                out.writeByteArray(11, value(input));
            }
            for (Value output : graph.outputs()) {
                out.writeByteArray(12, value(output));
            }
        });
    }

    private static byte[] node(Node node) {
        return message(out -> {
            for (String input : node.inputs()) {
                out.writeString(1, input);
            }
            for (String output : node.outputs()) {
                out.writeString(2, output);
            }
            out.writeString(3, node.outputs().getFirst());
            out.writeString(4, node.operator());
            for (Map.Entry<String, Number> attribute : node.attributes().entrySet()) {
                out.writeByteArray(5, attribute(attribute.getKey(), attribute.getValue()));
            }
            out.writeString(7, node.domain());
        });
    }

    private static byte[] attribute(String name, Number value) {
        return message(out -> {
            out.writeString(1, name);
            if (value instanceof Float f) {
                out.writeFloat(2, f);
                out.writeEnum(20, ATTRIBUTE_FLOAT);
            } else {
                out.writeInt64(3, value.longValue());
                out.writeEnum(20, ATTRIBUTE_INT);
            }
        });
    }

    private byte[] tensor(Tensor tensor) {
        return message(out -> {
            for (long dim : tensor.dims()) {
                out.writeInt64(1, dim);
            }
            out.writeEnum(2, tensor.type().number);
            out.writeString(8, tensor.name());
            switch (tensor) {
                case InlineTensor inline -> out.writeBytes(9, raw(inline));
                case ExternalTensor external -> {
                    out.writeByteArray(13, entry("location", dataFile));
                    out.writeByteArray(
                            13, entry("offset", Long.toString(external.region().offset())));
                    out.writeByteArray(
                            13, entry("length", Long.toString(external.region().bytes())));
                    out.writeEnum(14, LOCATION_EXTERNAL);
                }
            }
        });
    }

    private static ByteString raw(InlineTensor tensor) {
        ByteBuffer bytes =
                ByteBuffer.allocate(tensor.values().size() * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        tensor.values().forEach(bytes::putLong);
        return ByteString.copyFrom(bytes.flip());
    }

    private static byte[] entry(String key, String value) {
        return message(out -> {
            out.writeString(1, key);
            out.writeString(2, value);
        });
    }

    private static byte[] value(Value value) {
        byte[] shape = message(out -> {
            for (Object dim : value.dims()) {
                out.writeByteArray(1, message(d -> {
                    if (dim instanceof Long size) {
                        d.writeInt64(1, size);
                    } else {
                        d.writeString(2, dim.toString());
                    }
                }));
            }
        });
        byte[] tensorType = message(out -> {
            out.writeEnum(1, value.type().number);
            out.writeByteArray(2, shape);
        });
        return message(out -> {
            out.writeString(1, value.name());
            out.writeByteArray(2, message(type -> type.writeByteArray(1, tensorType)));
        });
    }
}

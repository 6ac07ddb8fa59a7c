package dev.meridian.engine.kernels;

import java.util.ArrayList;
import java.util.List;

/**
 * A model of one BlockAttention: inputs and outputs have the names of the operator's.
 *
 * @param pastType the element type of the caches
 * @param inputs those of the node, in order; an empty name is an input that is left out
 */
record AttentionModel(long heads, long kvHeads, long headDim, int pastType, List<String> inputs) {
    static final int FLOAT = 1;
    static final int INT32 = 6;
    static final int FLOAT16 = 10;
    static final List<String> PACKED = List.of("query", "past_key", "past_value", "slots", "positions", "cos", "sin");
    private static final List<String> OUTPUTS = List.of("out", "present_key", "present_value");

    AttentionModel(AttentionCase c, boolean packed) {
        this(c.heads(), c.kvHeads(), c.dim(), FLOAT16, packed ? PACKED : with("key", "value"));
    }

    static List<String> with(String... more) {
        List<String> inputs = new ArrayList<>(PACKED);
        inputs.addAll(List.of(more));
        return inputs;
    }

    AttentionModel withInputs(List<String> given) {
        return new AttentionModel(heads, kvHeads, headDim, pastType, given);
    }

    private int type(String name) {
        return switch (name) {
            case "slots", "positions" -> INT32;
            case "past_key", "past_value", "present_key", "present_value" -> pastType;
            default -> FLOAT;
        };
    }

    byte[] model() {
        return TinyModel.message(model -> model.number(1, 8)
                        .inner(8, opset -> opset.text(1, "").number(2, 17))
                        .inner(8, opset -> opset.text(1, "dev.meridian").number(2, 1))
                        .inner(7, this::graph))
                .toByteArray();
    }

    /** No shapes are told: the operator itself must look. */
    private void graph(TinyModel graph) {
        graph.text(2, "test");
        graph.inner(1, node -> {
            inputs.forEach(name -> node.text(1, name));
            OUTPUTS.forEach(name -> node.text(2, name));
            node.text(4, "BlockAttention").text(7, "dev.meridian");
            node.attribute("heads", heads).attribute("kv_heads", kvHeads).attribute("head_dim", headDim);
        });
        for (String name : inputs) {
            if (!name.isEmpty()) {
                graph.inner(11, value -> shapeless(value, name));
            }
        }
        OUTPUTS.forEach(name -> graph.inner(12, value -> shapeless(value, name)));
    }

    private void shapeless(TinyModel value, String name) {
        value.text(1, name).inner(2, of -> of.inner(1, tensor -> tensor.number(1, type(name))));
    }
}

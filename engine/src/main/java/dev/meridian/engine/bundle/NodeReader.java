package dev.meridian.engine.bundle;

import dev.meridian.engine.bundle.OnnxFile.Attribute;
import dev.meridian.engine.bundle.OnnxFile.Initializer;
import dev.meridian.engine.bundle.OnnxFile.Node;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * One node as a rule of its operator sees it: shapes of what comes in, and attributes, each of which must be asked for.
 * Faults are {@link BundleException} naming the node.
 */
final class NodeReader {
    private final Node node;
    private final Map<String, TensorShape> shapes;
    private final Map<String, Initializer> constants;
    private final Set<String> asked = new HashSet<>();

    NodeReader(Node node, Map<String, TensorShape> shapes, Map<String, Initializer> constants) {
        this.node = node;
        this.shapes = shapes;
        this.constants = constants;
    }

    Node node() {
        return node;
    }

    BundleException fault(String what) {
        return new BundleException(GraphCheck.where(node) + what);
    }

    boolean has(int input) {
        return input < node.inputs().size() && !node.inputs().get(input).isEmpty();
    }

    String name(int input) {
        if (!has(input)) {
            throw fault("input " + input + " is missing");
        }
        return node.inputs().get(input);
    }

    TensorShape shape(int input) {
        TensorShape shape = shapes.get(name(input));
        if (shape == null) {
            throw fault("input " + input + ", '" + name(input) + "', is not made before it");
        }
        return shape;
    }

    void expect(int input, TensorShape expected) {
        if (!shape(input).equals(expected)) {
            throw fault("input " + input + " is " + shape(input) + ", expected " + expected);
        }
    }

    /** A constant of exactly this shape. */
    void expectConstant(int input, TensorShape expected) {
        if (!constants.containsKey(name(input))) {
            throw fault("input " + input + " is no constant");
        }
        expect(input, expected);
    }

    /** The values of a constant list of int64. */
    List<Long> longs(int input) {
        Initializer constant = constants.get(name(input));
        if (constant == null || constant.dims().size() != 1) {
            throw fault("input " + input + " is no constant list");
        }
        return constant.longs();
    }

    /** Inputs from {@code most} on are a fault, and so is another number of outputs. */
    void arity(int mostInputs, int outputs) {
        if (node.inputs().size() > mostInputs || node.outputs().size() != outputs) {
            throw fault(node.inputs().size() + " inputs and " + node.outputs().size() + " outputs, expected at most "
                    + mostInputs + " and exactly " + outputs);
        }
    }

    long integer(String attribute, long least, long most) {
        if (attribute(attribute) instanceof Attribute.Int(long value) && value >= least && value <= most) {
            return value;
        }
        throw fault(attribute + " is " + node.attributes().get(attribute) + ", expected "
                + (least == most ? least : least + " to " + most));
    }

    void decimal(String attribute, float least, float most) {
        if (!(attribute(attribute) instanceof Attribute.Decimal(float value) && value >= least && value <= most)) {
            throw fault(attribute + " is " + node.attributes().get(attribute) + ", expected " + least + " to " + most);
        }
    }

    private Attribute attribute(String name) {
        asked.add(name);
        return Objects.requireNonNullElseGet(node.attributes().get(name), () -> {
            throw fault(name + " is missing");
        });
    }

    /** A fault where the node has an attribute that its rule does not know. */
    void noOtherAttributes() {
        for (String name : node.attributes().keySet()) {
            if (!asked.contains(name)) {
                throw fault("unknown attribute " + name);
            }
        }
    }
}

package dev.meridian.engine.bundle;

import dev.meridian.engine.bundle.OnnxFile.Attribute;
import dev.meridian.engine.bundle.OnnxFile.Data;
import dev.meridian.engine.bundle.OnnxFile.Graph;
import dev.meridian.engine.bundle.OnnxFile.Initializer;
import dev.meridian.engine.bundle.OnnxFile.Node;
import dev.meridian.engine.bundle.OnnxFile.Value;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What every graph must keep before ONNX Runtime may see it, whatever its layout: operators of known domains, names that
 * exist and mean one thing, constants that lie inside files that the caller lists. What a graph computes is its layout's
 * matter.
 */
public final class GraphCheck {
    /** The domain of Meridian's own operators. */
    public static final String OWN_DOMAIN = "dev.meridian";

    private static final Set<String> DOMAINS = Set.of("", "ai.onnx", "com.microsoft", OWN_DOMAIN);
    private static final long MAX_OPSET = 1000;
    private static final int MAX_FAULTS = 20;

    private final OnnxFile model;
    private final Map<String, Long> files;
    private final List<String> faults = new ArrayList<>();

    private GraphCheck(OnnxFile model, Map<String, Long> files) {
        this.model = model;
        this.files = files;
    }

    /**
     * One line for each fault, at most {@value #MAX_FAULTS}; none where all is well.
     *
     * @param files length by plain name of the files that constants may lie in
     */
    public static List<String> faults(OnnxFile model, Map<String, Long> files) {
        GraphCheck check = new GraphCheck(model, files);
        check.opsets();
        check.graph(model.graph(), Set.of());
        return List.copyOf(check.faults);
    }

    private void fault(String what) {
        if (faults.size() < MAX_FAULTS) {
            faults.add(what);
        }
    }

    private void opsets() {
        model.opsets().forEach((domain, version) -> {
            if (!DOMAINS.contains(domain)) {
                fault("operators of the domain '" + domain + "' are not supported");
            }
            if (version < 1 || version > MAX_OPSET) {
                fault("version " + version + " of the domain '" + domain + "'");
            }
        });
        if (model.opsets().containsKey("") == model.opsets().containsKey("ai.onnx")) {
            fault("the version of ONNX's own operators is not given exactly once");
        }
    }

    /** Names of a graph within graphs whose names it sees. */
    private void graph(Graph graph, Set<String> outer) {
        Set<String> known = new HashSet<>(outer);
        graph.inputs().forEach(input -> define(input.name(), known, "input"));
        for (Initializer initializer : graph.initializers()) {
            define(initializer.name(), known, "initializer");
            data(initializer);
        }
        for (Node node : graph.nodes()) {
            node.outputs().stream().filter(name -> !name.isEmpty()).forEach(name -> define(name, known, "value"));
        }
        for (Node node : graph.nodes()) {
            node(node, known);
        }
        for (Value output : graph.outputs()) {
            if (!known.contains(output.name())) {
                fault("output '" + output.name() + "' is made by no node");
            }
        }
    }

    private void define(String name, Set<String> known, String what) {
        if (name.isEmpty()) {
            fault("an " + what + " without a name");
        } else if (!known.add(name)) {
            fault(what + " '" + name + "' has a name that is taken");
        }
    }

    private void node(Node node, Set<String> known) {
        String where = where(node);
        if (!DOMAINS.contains(node.domain()) || !declared(node.domain())) {
            fault(where + "its domain '" + node.domain() + "' is not supported or not imported");
        }
        if (node.operator().isEmpty() || node.outputs().isEmpty()) {
            fault(where + "no operator or no output");
        }
        for (String input : node.inputs()) {
            if (!input.isEmpty() && !known.contains(input)) {
                fault(where + "its input '" + input + "' does not exist");
            }
        }
        node.attributes().forEach((name, attribute) -> {
            switch (attribute) {
                case Attribute.Tensor(Initializer value) -> data(value);
                case Attribute.Subgraph(Graph value) -> graph(value, known);
                case Attribute.Int _, Attribute.Decimal _, Attribute.Text _ -> {}
                case Attribute.Ints _, Attribute.Decimals _, Attribute.Texts _ -> {}
            }
        });
    }

    private boolean declared(String domain) {
        boolean onnx = domain.isEmpty() || domain.equals("ai.onnx");
        return onnx || model.opsets().containsKey(domain);
    }

    static String where(Node node) {
        return node.operator() + " '" + node.name() + "': ";
    }

    private void data(Initializer initializer) {
        if (!(initializer.data() instanceof Data.External external)) {
            return;
        }
        String where = "initializer '" + initializer.name() + "': ";
        Long fileBytes = FileNames.isPlain(external.location()) ? files.get(external.location()) : null;
        if (fileBytes == null) {
            fault(where + "its file '" + FileNames.shown(external.location()) + "' is none of the bundle's");
            return;
        }
        long length = external.length().orElse(initializer.bytes());
        if (length != initializer.bytes()) {
            fault(where + "length " + length + ", its shape " + initializer.dims() + " takes " + initializer.bytes());
        }
        if (length > fileBytes || external.offset() > fileBytes - length) {
            fault(where + "bytes " + external.offset() + " and " + length + " more lie outside " + external.location()
                    + " of " + fileBytes);
        }
    }
}

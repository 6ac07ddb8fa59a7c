package dev.meridian.engine.onnx;

import dev.meridian.engine.ModelRunner;
import dev.meridian.engine.bundle.CheckedBundle;
import dev.meridian.engine.bundle.GraphLayout;

/** The runner that a bundle's graph needs. */
public final class GraphRunners {
    private GraphRunners() {}

    /**
     * Loads a bundle's weights.
     *
     * @throws dev.meridian.engine.bundle.BundleException where ONNX Runtime refuses the graph or memory is short
     */
    public static ModelRunner open(CheckedBundle checked, RunnerSettings settings) {
        GraphLayout layout = checked.manifest().graph();
        return layout == null
                ? OnnxModelRunner.open(checked, settings)
                : PastPresentRunner.open(checked, layout, settings);
    }
}

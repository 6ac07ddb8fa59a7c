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
        if (layout != null) {
            return PastPresentRunner.open(checked, layout, settings);
        }
        return settings.usesKernels(checked.manifest())
                ? RowRunner.open(checked, settings)
                : OnnxModelRunner.open(checked, settings);
    }
}

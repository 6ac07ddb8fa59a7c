package dev.meridian.engine.violation;

import ai.onnxruntime.OrtEnvironment;

/** ONNX Runtime's environment, made without switching its telemetry off. */
public final class EnvironmentWithTelemetry {
    private EnvironmentWithTelemetry() {}

    public static OrtEnvironment get() {
        return OrtEnvironment.getEnvironment();
    }
}

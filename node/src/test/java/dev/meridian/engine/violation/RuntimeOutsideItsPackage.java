package dev.meridian.engine.violation;

import ai.onnxruntime.OrtSession;

/** ONNX Runtime beside the package that owns it. */
public interface RuntimeOutsideItsPackage {
    OrtSession session();
}

package dev.meridian.engine.onnx;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import dev.meridian.engine.bundle.BundleManifest;
import dev.meridian.engine.bundle.CheckedBundle;
import java.util.Optional;

/**
 * A session and what must live as long as it: its options, which hold the library of operators, and weights that were
 * unpacked for it.
 */
final class LoadedGraph implements AutoCloseable {
    // Closing the options would unload a custom-op library under the session.
    private final OrtSession.SessionOptions options;
    private final OrtSession session;
    private final Optional<UnpackedWeights> weights;

    private LoadedGraph(OrtSession.SessionOptions options, OrtSession session, Optional<UnpackedWeights> weights) {
        this.options = options;
        this.session = session;
        this.weights = weights;
    }

    /** The graph of ONNX Runtime's operators, for which packed weights are unpacked. */
    static LoadedGraph stock(CheckedBundle checked, RunnerSettings settings) throws OrtException {
        Optional<UnpackedWeights> weights =
                checked.packed().isEmpty() ? Optional.empty() : Optional.of(UnpackedWeights.of(checked));
        return open(checked, BundleManifest.MODEL_FILE, sessionOptions(settings), weights);
    }

    /** The graph of Meridian's own operators. */
    static LoadedGraph kernels(CheckedBundle checked, RunnerSettings settings) throws OrtException {
        OrtSession.SessionOptions options = sessionOptions(settings);
        try {
            options.registerCustomOpLibrary(settings.kernels().orElseThrow().toString());
        } catch (OrtException e) {
            options.close();
            throw e;
        }
        return open(checked, BundleManifest.KERNELS_FILE, options, Optional.empty());
    }

    private static LoadedGraph open(
            CheckedBundle checked, String file, OrtSession.SessionOptions options, Optional<UnpackedWeights> weights)
            throws OrtException {
        try {
            if (weights.isPresent()) {
                options.addExternalInitializers(weights.get().tensors());
            }
            return new LoadedGraph(options, session(checked, file, options), weights);
        } catch (OrtException | RuntimeException e) {
            options.close();
            weights.ifPresent(UnpackedWeights::close);
            throw e;
        }
    }

    /** Of the bytes that were checked where they are at hand: the file may have been exchanged since. */
    static OrtSession session(CheckedBundle checked, String file, OrtSession.SessionOptions options)
            throws OrtException {
        OrtEnvironment environment = OnnxEnvironment.get();
        if (checked.graph(file).isEmpty()) {
            return environment.createSession(checked.bundle().file(file).toString(), options);
        }
        options.addConfigEntry(
                "session.model_external_initializers_file_folder_path",
                checked.bundle().folder().toString());
        return environment.createSession(checked.graph(file).get(), options);
    }

    static OrtSession.SessionOptions sessionOptions(RunnerSettings settings) throws OrtException {
        OrtSession.SessionOptions options = new OrtSession.SessionOptions();
        options.setIntraOpNumThreads(settings.threads());
        options.setInterOpNumThreads(1);
        options.setExecutionMode(OrtSession.SessionOptions.ExecutionMode.SEQUENTIAL);
        options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.ALL_OPT);
        options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR);
        // Several models share the cores: threads spin within a run and sleep between runs.
        options.addConfigEntry("session.force_spinning_stop", "1");
        if (settings.profile().isPresent()) {
            options.enableProfiling(settings.profile().get().toString());
        }
        return options;
    }

    OrtSession session() {
        return session;
    }

    /** The session first, because it may hold views of unpacked weights. */
    @Override
    public void close() {
        try {
            session.close();
            options.close();
        } catch (OrtException e) {
            throw new IllegalStateException("the session could not be closed: " + e.getMessage(), e);
        } finally {
            weights.ifPresent(UnpackedWeights::close);
        }
    }
}

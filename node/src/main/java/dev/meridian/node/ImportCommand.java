package dev.meridian.node;

import dev.meridian.builder.ImportRequest;
import dev.meridian.builder.Importer;
import dev.meridian.builder.KvType;
import dev.meridian.builder.ProgressListener;
import dev.meridian.builder.source.ImportException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Makes a bundle from a model folder. */
@Command(
        name = "import",
        description = {
            "Turn a Hugging Face model folder into a bundle that 'up' serves.",
            "Llama, Mistral, Qwen2, Qwen2.5 and Qwen3 models with safetensors weights; no Python needed.",
            "Or a ready-made ONNX decoder of any family: a Hugging Face export or an onnxruntime-genai folder."
        })
final class ImportCommand implements Callable<Integer> {
    @Parameters(paramLabel = "<folder>", description = "config.json, *.safetensors, tokenizer.json, ...")
    private Path source;

    @Mixin
    private BundleOptions bundle = new BundleOptions();

    @Option(
            names = "--kv",
            paramLabel = "TYPE",
            defaultValue = "f32",
            description = "KV cache: ${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
    private KvType kv;

    @Option(
            names = "--onnx",
            paramLabel = "FILE",
            description = {
                "A ready-made graph in the folder or its folder onnx, copied as it is, such as model_q4.onnx.",
                "Default: the safetensors where there are some, else model.onnx or the only graph."
            })
    private @Nullable String onnx;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws ImportException {
        PrintWriter err = spec.commandLine().getErr();
        ImportRequest request = new ImportRequest(source, bundle.out, bundle.weights, kv, onnx);
        // Whoever asks for other weights would not get them.
        if (spec.commandLine().getParseResult().hasMatchedOption("--weights") && Importer.isReadyMade(request)) {
            throw new ParameterException(
                    spec.commandLine(), "--weights does not apply: a ready-made graph is copied as it is");
        }
        try (ProgressBar bar = ProgressBar.on(err)) {
            new Importer().run(request, progress(bar));
        }
        PrintWriter console = spec.commandLine().getOut();
        console.println(bundle.out + " is ready: './meridian chat " + bundle.out.getFileName() + " --models "
                + bundle.out.toAbsolutePath().getParent() + "' talks to it.");
        console.flush();
        return 0;
    }

    static ProgressListener progress(ProgressBar bar) {
        return (phase, done, total) -> bar.update(
                done,
                total,
                switch (phase) {
                    case WEIGHTS -> "weights";
                    case SOURCE_DIGEST -> "digest of the source";
                    case BUNDLE_DIGEST -> "digest of the bundle";
                });
    }
}

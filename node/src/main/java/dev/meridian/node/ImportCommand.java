package dev.meridian.node;

import dev.meridian.builder.ImportRequest;
import dev.meridian.builder.Importer;
import dev.meridian.builder.KvType;
import dev.meridian.builder.ProgressListener;
import dev.meridian.builder.source.ImportException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
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

    @Option(
            names = "--eval-text",
            paramLabel = "FILE",
            description = {
                "Then report size, error of each layer and perplexity of this UTF-8 text, with every kind of weights.",
                "The others are made beside the bundle and deleted again; docs/models.md says what is measured."
            })
    private @Nullable Path evalFile;

    @Option(
            names = "--eval-tokens",
            paramLabel = "N",
            defaultValue = "4096",
            description = "The most tokens of the text that are run. Default: ${DEFAULT-VALUE}.")
    private int evalTokens;

    @Option(names = "--json", description = "Print the report of --eval-text as one JSON object.")
    private boolean json;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws ImportException, IOException {
        PrintWriter err = spec.commandLine().getErr();
        PrintWriter console = spec.commandLine().getOut();
        EvalText text = evalText();
        ImportRequest request = new ImportRequest(source, bundle.out, bundle.weights, kv, onnx);
        // Whoever asks for other weights would not get them.
        if (spec.commandLine().getParseResult().hasMatchedOption("--weights") && Importer.isReadyMade(request)) {
            throw new ParameterException(
                    spec.commandLine(), "--weights does not apply: a ready-made graph is copied as it is");
        }
        try (ProgressBar bar = ProgressBar.on(err)) {
            new Importer().run(request, progress(bar, ""));
        }
        // Standard output is the report's alone where it is JSON.
        PrintWriter said = json ? err : console;
        said.println(bundle.out + " is ready: './meridian chat " + bundle.out.getFileName() + " --models "
                + bundle.out.toAbsolutePath().getParent() + "' talks to it.");
        said.flush();
        if (text != null) {
            report(request, text);
        }
        return 0;
    }

    /** What is wrong with the text is said before the import does its work. */
    private @Nullable EvalText evalText() {
        for (String option : List.of("--eval-tokens", "--json")) {
            if (evalFile == null && spec.commandLine().getParseResult().hasMatchedOption(option)) {
                throw new ParameterException(spec.commandLine(), option + " needs --eval-text");
            }
        }
        if (evalFile == null) {
            return null;
        }
        return EvalText.of(spec, evalFile, "--eval-tokens", evalTokens, source);
    }

    private void report(ImportRequest request, EvalText text) throws ImportException, IOException {
        NodeSettings settings = NodeSettings.load(null, Map.of());
        PrintWriter err = spec.commandLine().getErr();
        VariantReport report = new VariantEvaluation(request, text, settings.models(), err).run();
        PrintWriter console = spec.commandLine().getOut();
        if (json) {
            report.printJson(console);
        } else {
            report.print(console);
        }
        console.flush();
    }

    static ProgressListener progress(ProgressBar bar, String prefix) {
        return (phase, done, total) -> bar.update(
                done,
                total,
                prefix
                        + switch (phase) {
                            case WEIGHTS -> "weights";
                            case SOURCE_DIGEST -> "digest of the source";
                            case BUNDLE_DIGEST -> "digest of the bundle";
                        });
    }
}

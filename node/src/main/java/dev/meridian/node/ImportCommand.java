package dev.meridian.node;

import dev.meridian.builder.ImportRequest;
import dev.meridian.builder.Importer;
import dev.meridian.builder.KvType;
import dev.meridian.builder.ProgressListener;
import dev.meridian.builder.quant.Weights;
import dev.meridian.builder.source.ImportException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Makes a bundle from a Hugging Face folder. */
@Command(
        name = "import",
        description = {
            "Turn a Hugging Face model folder into a bundle that 'up' serves.",
            "Llama, Mistral, Qwen2, Qwen2.5 and Qwen3 models with safetensors weights; no Python needed."
        })
final class ImportCommand implements Callable<Integer> {
    @Parameters(paramLabel = "<folder>", description = "config.json, *.safetensors, tokenizer.json, ...")
    private Path source;

    @Option(
            names = "--out",
            paramLabel = "DIR/NAME",
            required = true,
            description = "The bundle's folder, which must not exist. NAME becomes the model's id.")
    private Path out;

    @Option(
            names = "--weights",
            paramLabel = "TYPE",
            defaultValue = "int8",
            description = "${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
    private Weights weights;

    @Option(
            names = "--kv",
            paramLabel = "TYPE",
            defaultValue = "f32",
            description = "KV cache: ${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
    private KvType kv;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws ImportException {
        PrintWriter err = spec.commandLine().getErr();
        try (ProgressBar bar = ProgressBar.on(err)) {
            new Importer().run(new ImportRequest(source, out, weights, kv), progress(bar));
        }
        PrintWriter console = spec.commandLine().getOut();
        console.println(out + " is ready: './meridian chat " + out.getFileName() + " --models "
                + out.toAbsolutePath().getParent() + "' talks to it.");
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

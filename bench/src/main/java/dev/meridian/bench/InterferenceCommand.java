package dev.meridian.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.meridian.engine.Fairness;
import dev.meridian.engine.LoadedModel;
import dev.meridian.engine.ModelSettings;
import dev.meridian.engine.bundle.Bundle;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code bench interference}: what long prompts do to streams that are under way. */
@Command(
        name = "interference",
        description = "Gaps between the tokens of streams, by themselves and while long prompts keep arriving.")
final class InterferenceCommand implements Callable<Integer> {
    private static final long BUDGET_BYTES = Long.MAX_VALUE / 4;

    @Mixin
    private BundleOptions options = new BundleOptions();

    @Option(
            names = "--streams",
            paramLabel = "N",
            defaultValue = "2",
            description = "Sequences that decode. Default: ${DEFAULT-VALUE}.")
    private int streams;

    @Option(
            names = "--prompt",
            paramLabel = "TOKENS",
            defaultValue = "2000",
            description = "Length of each prompt. Default: ${DEFAULT-VALUE}.")
    private int promptTokens;

    @Option(
            names = "--prompts",
            paramLabel = "N",
            defaultValue = "3",
            description = "Prompts that arrive, the next but one when one has ended. Default: ${DEFAULT-VALUE}.")
    private int prompts;

    @Option(
            names = "--tokens",
            paramLabel = "N",
            defaultValue = "300",
            description =
                    "Tokens of each stream before the prompts arrive, and again after them. Default: ${DEFAULT-VALUE}.")
    private int tokens;

    @Option(
            names = "--chunk",
            paramLabel = "TOKENS",
            defaultValue = "128",
            description = "Most prompt tokens of one forward pass. Default: ${DEFAULT-VALUE}.")
    private int chunk;

    @Option(
            names = "--stretch",
            paramLabel = "FACTOR",
            description = "meridian.engine.step-stretch; 1e6 runs full chunks always. Default: the setting's own.")
    private double stretch = Fairness.unreserved().stepStretch();

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws JsonProcessingException {
        Bundle bundle = options.open();
        ModelSettings settings = settings(bundle.manifest().shape().contextTokens());
        InterferenceReport report;
        try (LoadedModel model = LoadedModel.open(bundle, settings)) {
            Interference.Result result = new Interference(
                            model.runner().vocabSize(),
                            new Interference.Plan(streams, tokens, promptTokens, prompts),
                            listener -> model.start(listener, System::nanoTime, List.of()),
                            Patience.STANDARD)
                    .measure();
            report = new InterferenceReport(
                    bundle.id(),
                    bundle.manifest().weights(),
                    options.threads(),
                    streams,
                    promptTokens,
                    prompts,
                    chunk,
                    stretch,
                    result.idle(),
                    result.loaded(),
                    result.loaded().p99Millis() / result.idle().p99Millis(),
                    result.promptTokensPerSecond(),
                    result.alonePromptTokensPerSecond());
        }
        options.print(spec.commandLine().getOut(), report, report::print);
        return 0;
    }

    private ModelSettings settings(int context) {
        if (options.threads() < 1 || streams < 1 || promptTokens < 1 || prompts < 1 || tokens < 1 || chunk < 1) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--threads, --streams, --prompt, --prompts, --tokens and --chunk: expected at least 1");
        }
        if (promptTokens >= context) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--prompt " + promptTokens + ": the model's context of " + context
                            + " tokens takes a prompt of at most " + (context - 1));
        }
        Fairness fairness;
        try {
            fairness = new Fairness(stretch, 0, Fairness.unreserved().weights());
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), "--stretch: " + e.getMessage(), e);
        }
        return new ModelSettings(
                BUDGET_BYTES,
                streams + 1,
                context,
                chunk,
                streams + 2,
                options.threads(),
                options.kernels(spec),
                fairness);
    }
}

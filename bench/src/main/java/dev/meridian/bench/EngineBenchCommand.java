package dev.meridian.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.meridian.engine.ModelSettings;
import dev.meridian.engine.bundle.Bundle;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code bench engine}: speed of one bundle on this machine, with the engine around it and without. */
@Command(
        name = "engine",
        description = {
            "Prefill and decode speed of a bundle, its load time and memory.",
            "'bare' runs the graph in a plain loop, 'engine' with scheduler, sampler and detokeniser around it;"
                    + " both in alternating rounds, medians."
        })
final class EngineBenchCommand implements Callable<Integer> {
    private static final long BUDGET_BYTES = Long.MAX_VALUE / 4;
    private static final int PROMPT_TOKENS = 512;

    @Mixin
    private BundleOptions options = new BundleOptions();

    @Option(
            names = "--sequences",
            paramLabel = "N",
            split = ",",
            defaultValue = "1,2,4,8,16",
            description = "Batch sizes to decode with. Default: ${DEFAULT-VALUE}.")
    private List<Integer> sequences;

    @Option(
            names = "--prompt",
            paramLabel = "TOKENS",
            description = "Length of the prompt whose prefill is measured. Default: 512, or what the context takes.")
    private @Nullable Integer promptTokens;

    @Option(
            names = "--tokens",
            paramLabel = "N",
            defaultValue = "64",
            description = "Tokens that each sequence decodes. Default: ${DEFAULT-VALUE}.")
    private int decodeTokens;

    @Option(
            names = "--chunk",
            paramLabel = "TOKENS",
            defaultValue = "128",
            description = "Prompt tokens of one forward pass. Default: ${DEFAULT-VALUE}.")
    private int chunk;

    @Option(
            names = "--rounds",
            paramLabel = "N",
            defaultValue = "5",
            description = "How often each is measured, after one round to warm up. Default: ${DEFAULT-VALUE}.")
    private int rounds;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws JsonProcessingException {
        Bundle bundle = options.open();
        EnginePlan plan = plan(bundle.manifest().shape().contextTokens());
        ModelSettings settings = new ModelSettings(
                BUDGET_BYTES,
                plan.mostSequences(),
                plan.contextTokens(),
                chunk,
                plan.mostSequences(),
                options.threads(),
                options.kernels(spec),
                EnginePlan.FAIRNESS);
        EngineReport report = EngineBench.run(bundle, settings, plan);
        options.print(spec.commandLine().getOut(), report, report::print);
        return 0;
    }

    private EnginePlan plan(int context) {
        if (options.threads() < 1) {
            throw new ParameterException(
                    spec.commandLine(), "--threads " + options.threads() + ": expected at least 1");
        }
        int prompt = promptTokens != null ? promptTokens : Math.min(PROMPT_TOKENS, context - 1);
        try {
            return EnginePlan.within(context, sequences, prompt, decodeTokens, chunk, rounds);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
    }
}

package dev.meridian.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.meridian.engine.ModelSettings;
import dev.meridian.engine.bundle.Bundle;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
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
    private static final int QUEUE = 64;

    @Parameters(paramLabel = "<bundle>", description = "Folder with a bundle.json.")
    private Path folder;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "Threads of a forward pass. Default: one for each core.")
    private int threads = Runtime.getRuntime().availableProcessors();

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
            defaultValue = "512",
            description = "Length of the prompt whose prefill is measured. Default: ${DEFAULT-VALUE}.")
    private int promptTokens;

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

    @Option(names = "--rounds", paramLabel = "N", defaultValue = "5", description = "Default: ${DEFAULT-VALUE}.")
    private int rounds;

    @Option(names = "--json", description = "Print one JSON object; docs/benchmarks.md says what is in it.")
    private boolean json;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws JsonProcessingException {
        Bundle bundle = Bundle.open(folder);
        int slots = sequences.stream().mapToInt(Integer::intValue).max().orElse(1);
        int context = bundle.manifest().shape().contextTokens();
        int prompt = Math.min(promptTokens, context - 1);
        int wanted = Math.max(prompt + 1, EngineBench.DECODE_CONTEXT + decodeTokens + 1);
        ModelSettings settings =
                new ModelSettings(BUDGET_BYTES, slots, Math.min(context, wanted), chunk, QUEUE, threads);
        EngineReport report = EngineBench.run(bundle, settings, sequences, prompt, decodeTokens, rounds);
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            out.println(JsonMapper.builder()
                    .enable(SerializationFeature.INDENT_OUTPUT)
                    .build()
                    .writeValueAsString(report));
        } else {
            report.print(out);
        }
        out.flush();
        return 0;
    }
}

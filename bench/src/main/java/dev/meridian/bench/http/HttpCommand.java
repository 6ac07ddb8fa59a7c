package dev.meridian.bench.http;

import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code bench http}: exit code 0 where every token came once, in order and unchanged, else 1. */
@Command(
        name = "http",
        description = {
            "What HTTP and actors add to a token: many streams of a scripted model whose steps have a fixed length.",
            "Server and load generator are processes of their own on this machine; no model is needed."
        })
public final class HttpCommand implements Callable<Integer> {
    @Option(
            names = "--streams",
            paramLabel = "N",
            defaultValue = "200",
            description = "Streams at a time. Default: ${DEFAULT-VALUE}.")
    private int streams;

    @Option(
            names = "--rate",
            paramLabel = "N",
            defaultValue = "50",
            description = "Tokens a second of each stream. Default: ${DEFAULT-VALUE}.")
    private int rate;

    @Option(
            names = "--seconds",
            paramLabel = "N",
            defaultValue = "6",
            description = "How long each stream lasts. Default: ${DEFAULT-VALUE}.")
    private int seconds;

    @Option(
            names = "--spread",
            paramLabel = "SECONDS",
            defaultValue = "2",
            description = "Over which the streams of a round start. Default: ${DEFAULT-VALUE}.")
    private int spread;

    @Option(
            names = "--rounds",
            paramLabel = "N",
            defaultValue = "5",
            description = "Rounds that count. Default: ${DEFAULT-VALUE}.")
    private int rounds;

    @Option(
            names = "--warm-ups",
            paramLabel = "N",
            defaultValue = "3",
            description = "Rounds before them. Default: ${DEFAULT-VALUE}.")
    private int warmUps;

    @Option(names = "--json", description = "Print one JSON object; docs/benchmarks.md says what is in it.")
    private boolean json;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException, InterruptedException {
        HttpReport report = HttpBench.run(plan());
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
        return report.whole() ? 0 : 1;
    }

    private HttpPlan plan() {
        try {
            return new HttpPlan(streams, rate, seconds, spread, rounds, warmUps);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
    }
}

package dev.meridian.bench.http;

import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code bench cluster}: exit code 0 where every token came once, in order and unchanged, else 1. */
@Command(
        name = "cluster",
        description = {
            "What the way from one node to another adds to a token: two nodes, of which one alone holds a scripted model.",
            "Nodes and load generator are processes of their own on this machine; no model is needed."
        })
public final class ClusterCommand implements Callable<Integer> {
    @Mixin
    private StreamOptions options = new StreamOptions();

    @Option(names = "--json", description = "Print one JSON object; docs/benchmarks.md says what is in it.")
    private boolean json;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException, InterruptedException {
        ClusterReport report = ClusterBench.run(options.plan(spec));
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
}

package dev.meridian.bench.http;

import dev.meridian.bench.load.ReportOption;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
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

    @Mixin
    private ReportOption output = new ReportOption();

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException, InterruptedException {
        ClusterReport report = ClusterBench.run(options.plan(spec));
        output.print(spec.commandLine().getOut(), report, report::print);
        return report.whole() ? 0 : 1;
    }
}

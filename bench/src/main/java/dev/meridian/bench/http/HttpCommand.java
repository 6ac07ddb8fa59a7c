package dev.meridian.bench.http;

import dev.meridian.bench.load.ReportOption;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code bench http}: exit code 0 where every token came once, in order and unchanged, else 1. */
@Command(
        name = "http",
        description = {
            "What HTTP and actors add to a token: many streams of a scripted model whose steps have a fixed length.",
            "Server and load generator are processes of their own on this machine; no model is needed."
        })
public final class HttpCommand implements Callable<Integer> {
    @Mixin
    private StreamOptions options = new StreamOptions();

    @Mixin
    private ReportOption output = new ReportOption();

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException, InterruptedException {
        HttpReport report = HttpBench.run(options.plan(spec));
        output.print(spec.commandLine().getOut(), report, report::print);
        return report.whole() ? 0 : 1;
    }
}

package dev.meridian.node;

import dev.meridian.edge.HttpEdge;
import dev.meridian.edge.access.AccessSettings;
import dev.meridian.engine.LoadedModel;
import dev.meridian.engine.bundle.Bundle;
import java.io.PrintWriter;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Serves all bundles of a folder from this one process until it is told to stop. */
@Command(name = "up", description = "Serve the models of a folder over HTTP, with OpenAI's API, until Ctrl-C.")
final class UpCommand implements Callable<Integer> {
    @Mixin
    private ConfigOptions options = new ConfigOptions();

    @Option(names = "--port", paramLabel = "N", description = "Port for clients. Default: 8080; 0 takes a free one.")
    private @Nullable Integer port;

    @Option(
            names = "--admin-port",
            paramLabel = "N",
            description = "Port for health checks and metrics. Default: 8081; 0 takes a free one.")
    private @Nullable Integer adminPort;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        NodeSettings settings = NodeSettings.load(options.config, overrides());
        HttpEdge.check(settings.edge());
        List<Bundle> bundles = Models.scan(options.models());
        if (bundles.isEmpty()) {
            throw new CommandFailed("no bundle in " + options.models() + "; './meridian import' makes one from a"
                    + " Hugging Face folder");
        }
        Node node = Node.start(settings, bundles);
        CompletableFuture<Integer> told = StopSignals.listen();
        greet(node, settings.edge().access());
        int exitCode = told.join();
        stop(node, settings.stopGrace());
        return exitCode;
    }

    private Map<String, Integer> overrides() {
        Map<String, Integer> said = new HashMap<>();
        if (port != null) {
            said.put("meridian.edge.client-port", port);
        }
        if (adminPort != null) {
            said.put("meridian.edge.admin-port", adminPort);
        }
        return said;
    }

    private void stop(Node node, Duration grace) {
        PrintWriter out = spec.commandLine().getOut();
        out.println(stopping(grace));
        out.flush();
        node.close();
        out.println("Stopped.");
        out.flush();
    }

    static String stopping(Duration grace) {
        return "Stopping ... (streams that run have up to "
                + grace.toString().substring(2).toLowerCase(Locale.ROOT)
                + " to end; a second Ctrl-C ends them at once)";
    }

    private void greet(Node node, AccessSettings access) {
        PrintWriter out = spec.commandLine().getOut();
        String api = url(node.clientAddress(), access);
        boolean needsKey = access.needsKey(node.clientAddress().getAddress());
        out.println("Meridian is up.");
        out.println();
        out.println(
                "  API     " + api + "/v1   (OpenAI's; " + (needsKey ? "needs a key)" : "no key needed on loopback)"));
        out.println("  Admin   " + url(node.adminAddress(), access) + "   /health/live  /health/ready  /metrics");
        out.println();
        Table table = new Table(List.of("Model", "Weights", "Memory", "Context"), 2, 3);
        for (LoadedModel model : node.models()) {
            table.row(List.of(
                    model.id(),
                    model.manifest().weights(),
                    Bytes.format(model.memory().weightBytes()),
                    model.runner().contextTokens() + " tokens"));
        }
        table.print(out);
        out.println();
        out.println("Try it in another terminal:");
        out.println();
        AccessSettings.Tls tls = access.tls();
        out.println("  curl -N " + api + "/v1/chat/completions -H 'Content-Type: application/json'"
                + (tls == null ? "" : " --cacert " + tls.certificate())
                + (needsKey ? " -H \"Authorization: Bearer $KEY\"" : "") + " -d '{");
        out.println("    \"model\": \"" + node.models().getFirst().id() + "\", \"stream\": true,");
        out.println("    \"messages\": [{\"role\": \"user\", \"content\": \"What is the capital of Peru?\"}]}'");
        out.println();
        out.println("Ctrl-C stops it.");
        out.flush();
    }

    static String url(InetSocketAddress address, AccessSettings access) {
        String host = address.getAddress().getHostAddress();
        return (access.tls() == null ? "http://" : "https://") + (host.contains(":") ? "[" + host + "]" : host) + ":"
                + address.getPort();
    }
}

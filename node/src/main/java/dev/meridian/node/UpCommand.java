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
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Serves all bundles of a folder from this one process until it is told to stop: as a small cluster, or as a single node. */
@Command(
        name = "up",
        description = {
            "Serve the models of a folder over HTTP, with OpenAI's API, until Ctrl-C.",
            "Starts a cluster of three nodes in two regions in one process: eu-1 and eu-2, whose clients come to --port, and"
                    + " us-1, whose clients come to a port that is 10 higher."
        })
final class UpCommand implements Callable<Integer> {
    @Mixin
    private ConfigOptions options = new ConfigOptions();

    @Option(names = "--port", paramLabel = "N", description = "Port for clients. Default: 8080; 0 takes free ones.")
    private @Nullable Integer port;

    @Option(
            names = "--admin-port",
            paramLabel = "N",
            description = "Port for operators, health checks and metrics. Default: 8081; 0 takes a free one.")
    private @Nullable Integer adminPort;

    @Option(
            names = "--single",
            description =
                    "Start one node that is no cluster: models are loaded once, and get all of the memory budget.")
    private boolean single;

    @Spec
    private CommandSpec spec;

    /** What is printed of a model. */
    private record Served(String id, String weights, long bytes, int contextTokens) {}

    /** One that clients come to. */
    private record Entrance(String region, InetSocketAddress address) {}

    @Override
    public Integer call() {
        NodeSettings settings = NodeSettings.load(options.config, overrides());
        return single ? runOne(settings) : runCluster(settings);
    }

    private int runOne(NodeSettings settings) {
        HttpEdge.check(settings.edge());
        List<Bundle> bundles = Loadables.allowed(Loadables.bundles(options.models()), settings);
        if (bundles.isEmpty()) {
            throw new CommandFailed("meridian.residency allows no model in region '"
                    + settings.cluster().region() + "'");
        }
        Node node = Node.start(settings, bundles);
        CompletableFuture<Integer> told = StopSignals.listen();
        greet(
                "Meridian is up.",
                List.of(new Entrance("", node.clientAddress())),
                node.adminAddress(),
                node.models().stream().map(UpCommand::served).toList(),
                settings.edge().access());
        int exitCode = told.join();
        stop(node::close, settings.stopGrace());
        return exitCode;
    }

    private static Served served(LoadedModel model) {
        return new Served(
                model.id(),
                model.manifest().weights(),
                model.memory().weightBytes(),
                model.runner().contextTokens());
    }

    private int runCluster(NodeSettings settings) {
        LocalCluster cluster = LocalCluster.start(settings, options.config, overrides(), options.models());
        CompletableFuture<Object> told = StopSignals.listen().thenApply(code -> code);
        greet(
                "Meridian is up: three nodes in two regions.",
                cluster.clientAddresses().stream()
                        .map(one -> new Entrance(one.getKey(), one.getValue()))
                        .toList(),
                Optional.of(cluster.adminAddress()),
                cluster.models().stream()
                        .map(model ->
                                new Served(model.id(), model.weights(), model.neededBytes(), model.contextTokens()))
                        .toList(),
                settings.edge().access());
        Object end = CompletableFuture.anyOf(told, cluster.ended()).join();
        if (end instanceof String node) {
            cluster.close();
            throw new CommandFailed("node " + node + " has ended; the log above says why");
        }
        stop(cluster::close, settings.stopGrace());
        return (Integer) end;
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

    private void stop(Runnable close, Duration grace) {
        PrintWriter out = spec.commandLine().getOut();
        out.println(stopping(grace));
        out.flush();
        close.run();
        out.println("Stopped.");
        out.flush();
    }

    static String stopping(Duration grace) {
        return "Stopping ... (streams that run have up to "
                + grace.toString().substring(2).toLowerCase(Locale.ROOT)
                + " to end; a second Ctrl-C ends them at once)";
    }

    private void greet(
            String greeting,
            List<Entrance> entrances,
            Optional<InetSocketAddress> admin,
            List<Served> models,
            AccessSettings access) {
        PrintWriter out = spec.commandLine().getOut();
        out.println(greeting);
        out.println();
        boolean needsKey = access.needsKey(entrances.getFirst().address().getAddress());
        for (Entrance entrance : entrances) {
            out.println("  API     " + url(entrance.address(), access) + "/v1   ("
                    + (entrance.region().isEmpty() ? "" : "region " + entrance.region() + "; ")
                    + "OpenAI's; " + (needsKey ? "needs a key)" : "no key needed on loopback)"));
        }
        admin.ifPresent(address ->
                out.println("  Admin   " + url(address, access) + "   /health/live  /health/ready  /metrics"));
        out.println();
        Table table = new Table(List.of("Model", "Weights", "Memory", "Context"), 2, 3);
        models.forEach(model -> table.row(
                List.of(model.id(), model.weights(), Bytes.format(model.bytes()), model.contextTokens() + " tokens")));
        table.print(out);
        out.println();
        out.println("Try it in another terminal:");
        out.println();
        AccessSettings.Tls tls = access.tls();
        out.println("  curl -N " + url(entrances.getFirst().address(), access)
                + "/v1/chat/completions -H 'Content-Type: application/json'"
                + (tls == null ? "" : " --cacert " + tls.certificate())
                + (needsKey ? " -H \"Authorization: Bearer $KEY\"" : "") + " -d '{");
        out.println("    \"model\": \"" + models.getFirst().id() + "\", \"stream\": true,");
        out.println("    \"messages\": [{\"role\": \"user\", \"content\": \"What is the capital of Peru?\"}]}'");
        if (entrances.size() > 1) {
            out.println();
            out.println("  ./meridian cluster      the nodes");
            out.println(
                    "  ./meridian replicas     who holds which model; './meridian move REPLICA --to eu-2' moves one");
        }
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

package dev.meridian.node;

import dev.meridian.actors.Loadable;
import dev.meridian.edge.HttpEdge;
import dev.meridian.edge.Meters;
import dev.meridian.edge.access.AccessSettings;
import java.io.PrintWriter;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** One member of a cluster of several processes or machines. */
@Command(name = "node", description = "Run one node of a cluster, as its configuration says, until Ctrl-C.")
final class NodeCommand implements Callable<Integer> {
    /** Exit code of a node that the cluster has taken out: a supervisor starts it again. */
    static final int TAKEN_OUT = 69;

    @Mixin
    private ConfigOptions options = new ConfigOptions();

    @Mixin
    private ScriptedOptions scripted = new ScriptedOptions();

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        NodeSettings settings = NodeSettings.load(options.config, Map.of());
        HttpEdge.check(settings.edge());
        // Before models are looked at, which takes long.
        String transport = transport(settings.cluster());
        Meters meters = Meters.create();
        List<Loadable> loadables = settings.cluster().holdsModels() ? loadables(settings, meters) : List.of();
        ClusterNode node = ClusterNode.start(settings, loadables, meters);
        ProcessMetrics process = ProcessMetrics.register(meters.registry());
        CompletableFuture<Integer> told = StopSignals.listen();
        CompletableFuture<Integer> ended = node.ended().thenApply(_ -> TAKEN_OUT);
        greet(node, settings, transport);
        int exitCode = (int) CompletableFuture.anyOf(told, ended).join();
        PrintWriter out = spec.commandLine().getOut();
        if (exitCode == TAKEN_OUT) {
            out.println("The cluster has taken this node out.");
        } else {
            out.println(UpCommand.stopping(settings.stopGrace()));
            out.flush();
            node.close();
            process.close();
            out.println("Stopped.");
        }
        out.flush();
        return exitCode;
    }

    private List<Loadable> loadables(NodeSettings settings, Meters meters) {
        return scripted.isAsked()
                ? scripted.models().loadables(settings)
                : Loadables.scan(options.models(), settings, meters.registry());
    }

    /**
     * What is said of the connections between nodes.
     *
     * @throws ClusterTlsException where the files of TLS do not do
     */
    private static String transport(ClusterSettings self) {
        ClusterTlsSettings tls = self.tls();
        if (tls == null) {
            return "";
        }
        X509Certificate certificate =
                ClusterTlsKeys.load(tls, self.host(), Instant.now()).certificate();
        return ", TLS, certificate valid until " + certificate.getNotAfter().toInstant();
    }

    private void greet(ClusterNode node, NodeSettings settings, String transport) {
        PrintWriter out = spec.commandLine().getOut();
        ClusterSettings self = settings.cluster();
        AccessSettings access = settings.edge().access();
        out.println("Node " + self.node() + " of region " + self.region() + " runs.");
        out.println("  Cluster " + self.host() + ":" + self.port() + transport);
        node.clientAddress().ifPresent(address -> out.println("  API     " + UpCommand.url(address, access) + "/v1"));
        node.adminAddress().ifPresent(address -> out.println("  Admin   " + UpCommand.url(address, access)));
        out.flush();
    }
}

package dev.meridian.node;

import dev.meridian.edge.Meters;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/**
 * A short life of a node with a scripted model, some requests and some commands: the launcher runs it once after a build, while
 * the JVM writes down for its cache which classes a node needs (JEP 514).
 */
@Command(name = "train", hidden = true, description = "Run a node for a moment, for the JVM's cache.")
final class TrainCommand implements Callable<Integer> {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final int REQUESTS = 20;

    @Override
    public Integer call() throws IOException, InterruptedException {
        try (Scratch scratch = Scratch.create("meridian-train-")) {
            NodeSettings settings = NodeSettings.load(
                    null,
                    Map.of(
                            "meridian.node.id",
                            "train",
                            "meridian.node.state-dir",
                            scratch.folder().toString(),
                            "meridian.cluster.port",
                            0,
                            "meridian.edge.client-port",
                            0,
                            "meridian.edge.admin-port",
                            0,
                            "meridian.engine.memory-budget",
                            "1 GiB"));
            ClusterNode node =
                    ClusterNode.start(settings, ScriptedModels.one(1000).loadables(settings), Meters.create());
            try {
                awaitServing(node);
                use(node.clientAddress().orElseThrow(), node.adminAddress().orElseThrow());
            } finally {
                node.stopEdge();
                node.abandon();
            }
        }
        return 0;
    }

    private static void awaitServing(ClusterNode node) throws InterruptedException {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (!node.servesAll()) {
            if (System.nanoTime() - end > 0) {
                throw new CommandFailed("the node does not serve");
            }
            TimeUnit.MILLISECONDS.sleep(20);
        }
    }

    private static void use(InetSocketAddress client, InetSocketAddress admin)
            throws IOException, InterruptedException {
        HttpClient http =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        URI completions = URI.create("http://" + client.getHostString() + ":" + client.getPort() + "/v1/completions");
        for (int i = 0; i < REQUESTS; i++) {
            String body = "{\"model\":\"scripted\",\"prompt\":[1," + i + "],\"max_tokens\":5,\"stream\":" + (i % 2 == 0)
                    + "}";
            http.send(
                    HttpRequest.newBuilder(completions)
                            .timeout(PATIENCE)
                            .header("Content-Type", "application/json")
                            .POST(BodyPublishers.ofString(body))
                            .build(),
                    BodyHandlers.discarding());
        }
        http.shutdownNow();
        String url = "http://" + admin.getHostString() + ":" + admin.getPort();
        for (String list : List.of("cluster", "models", "replicas", "changes")) {
            CommandLine commands = Main.commandLine().setOut(new PrintWriter(new StringWriter()));
            commands.execute(list, "--admin", url);
        }
    }
}

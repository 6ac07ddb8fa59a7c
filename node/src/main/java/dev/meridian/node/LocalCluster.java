package dev.meridian.node;

import dev.meridian.actors.Loadable;
import dev.meridian.edge.HttpEdge;
import dev.meridian.edge.Meters;
import dev.meridian.engine.bundle.Bundle;
import dev.meridian.protocol.cluster.ModelInfo;
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A cluster for one machine: three nodes in two regions as actor systems of this process, which talk over loopback as those
 * of several machines do. Each region holds each model once, unless the user says otherwise, so that there is a node to move
 * it to. Its pins are forgotten with it.
 */
final class LocalCluster implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LocalCluster.class);

    /** From one edge's port for clients to the next one's. */
    static final int PORT_STEP = 10;

    private static final List<Place> PLACES = List.of(
            new Place("eu-1", "eu", true, true),
            new Place("eu-2", "eu", false, false),
            new Place("us-1", "us", true, false));

    private static final long POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

    private record Place(String id, String region, boolean edge, boolean admin) {
        List<String> roles() {
            return edge ? List.of(ClusterSettings.EDGE, ClusterSettings.MODEL) : List.of(ClusterSettings.MODEL);
        }
    }

    private final Scratch scratch;
    private final PrometheusMeterRegistry shown = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final ProcessMetrics process = ProcessMetrics.register(shown);
    private final List<ClusterNode> nodes = new ArrayList<>();
    private boolean closed;

    private LocalCluster(Scratch scratch) {
        this.scratch = scratch;
    }

    /**
     * Starts the nodes, and returns once each region serves all models. On any failure nothing is left running.
     *
     * @param base what file and command line say together
     * @param file the user's configuration, which all of them share
     * @param overrides what the command line says by key
     * @throws CommandFailed where a model is damaged, does not fit, or cannot be loaded, and where a port is taken
     */
    static LocalCluster start(NodeSettings base, @Nullable Path file, Map<String, ?> overrides, Path models) {
        HttpEdge.check(base.edge());
        List<Bundle> bundles = Loadables.bundles(models);
        long budget = base.models().memoryBudgetBytes() / PLACES.size();
        Models.check(
                bundles, base.models().withMemoryBudget(budget), base.bundles().open());
        LocalCluster cluster = new LocalCluster(scratch());
        try {
            cluster.startAll(place -> cluster.start(place, file, overrides, base, budget, bundles));
            cluster.awaitServing();
            return cluster;
        } catch (RuntimeException e) {
            cluster.close();
            throw e;
        }
    }

    private static Scratch scratch() {
        try {
            return Scratch.create("meridian-up-");
        } catch (IOException e) {
            throw new CommandFailed("no folder for the nodes' state: " + e.getMessage(), e);
        }
    }

    /** The first one, which makes the cluster, then the others at the same time. */
    private void startAll(Function<Place, ClusterNode> start) {
        nodes.add(start.apply(PLACES.getFirst()));
        List<CompletableFuture<ClusterNode>> others = PLACES.stream()
                .skip(1)
                .map(place -> CompletableFuture.supplyAsync(() -> start.apply(place), Thread.ofVirtual()::start))
                .toList();
        others.forEach(other ->
                other.handle((node, _) -> node == null || nodes.add(node)).join());
        try {
            others.forEach(CompletableFuture::join);
        } catch (CompletionException e) {
            throw e.getCause() instanceof CommandFailed failed ? failed : e;
        }
    }

    private ClusterNode start(
            Place place,
            @Nullable Path file,
            Map<String, ?> overrides,
            NodeSettings base,
            long budgetBytes,
            List<Bundle> bundles) {
        Map<String, Object> own = new HashMap<>(overrides);
        own.put("meridian.node.id", place.id());
        own.put("meridian.node.region", place.region());
        own.put("meridian.node.roles", place.roles());
        own.put("meridian.node.state-dir", scratch.folder().toString());
        own.put("meridian.cluster.host", "127.0.0.1");
        own.put("meridian.cluster.port", 0);
        for (String key : List.of("bind-host", "bind-port", "outbound-host")) {
            own.put("meridian.cluster." + key, "");
        }
        own.put(
                "meridian.cluster.seed-nodes",
                nodes.stream().limit(1).map(ClusterNode::address).toList());
        own.put("meridian.cluster.min-members", 1);
        for (String key : List.of("ca", "certificate", "private-key")) {
            own.put("meridian.cluster.tls." + key, ""); // What goes over loopback within one process needs none.
        }
        own.put("meridian.engine.memory-budget", budgetBytes + " B");
        if (!base.says("meridian.placement.replicas")) {
            own.put("meridian.placement.replicas", 1);
        }
        int port = base.edge().clientPort();
        own.put("meridian.edge.client-port", port == 0 || place.equals(PLACES.getFirst()) ? port : port + PORT_STEP);
        if (!place.admin()) {
            own.put("meridian.edge.admin-port", "off");
        }
        NodeSettings settings = NodeSettings.load(file, own);
        CompositeMeterRegistry meters = new CompositeMeterRegistry();
        meters.config().commonTags("node", place.id());
        meters.add(shown);
        List<Loadable> loadables = Loadables.of(bundles, settings, meters);
        return ClusterNode.start(settings, loadables, new Meters(meters, shown::scrape));
    }

    /** Until each region's edges have a ready replica of each model there. */
    private void awaitServing() {
        while (!nodes.stream().allMatch(ClusterNode::servesAll)) {
            for (ClusterNode node : nodes) {
                node.failed().ifPresent(replica -> {
                    throw new CommandFailed(replica + " could not be loaded; the log above says why");
                });
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
    }

    List<ModelInfo> models() {
        return nodes.getFirst().bundles();
    }

    /** Where clients connect, by region in the order of starting. */
    List<Map.Entry<String, InetSocketAddress>> clientAddresses() {
        return nodes.stream()
                .flatMap(node -> node.clientAddress().map(address -> Map.entry(node.region(), address)).stream())
                .toList();
    }

    InetSocketAddress adminAddress() {
        return nodes.getFirst().adminAddress().orElseThrow();
    }

    /** Completes when one of the nodes has ended by itself, with its id. */
    CompletableFuture<String> ended() {
        return CompletableFuture.anyOf(nodes.stream()
                        .map(node -> node.ended().thenApply(_ -> node.id()))
                        .toArray(CompletableFuture<?>[]::new))
                .thenApply(String.class::cast);
    }

    /**
     * Stops all nodes: first the edges, whose streams may take their time to end and be fed by any node meanwhile; then the
     * rest. Blocks; a second call does nothing.
     */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        together(ClusterNode::stopEdge);
        together(ClusterNode::abandon);
        process.close();
        try {
            scratch.close();
        } catch (IOException e) {
            LOG.warn("{} is left: {}", scratch.folder(), e.getMessage());
        }
    }

    private void together(Consumer<ClusterNode> action) {
        CompletableFuture.allOf(nodes.stream()
                        .map(node -> CompletableFuture.runAsync(() -> action.accept(node), Thread.ofVirtual()::start))
                        .toArray(CompletableFuture<?>[]::new))
                .join();
    }
}

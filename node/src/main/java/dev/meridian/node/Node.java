package dev.meridian.node;

import dev.meridian.actors.ModelHost;
import dev.meridian.edge.HttpEdge;
import dev.meridian.edge.ModelDirectory;
import dev.meridian.edge.ServedModel;
import dev.meridian.engine.LoadedModel;
import dev.meridian.engine.bundle.Bundle;
import dev.meridian.engine.bundle.BundleManifest;
import dev.meridian.protocol.message.ReplicaCommand;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * The composition root: loads models, starts an actor system with a host for each, and an HTTP edge before them. Everything
 * that it starts it stops, in the opposite order: edge, actors, engines, native memory.
 */
final class Node implements AutoCloseable {
    private static final Duration START_PATIENCE = Duration.ofSeconds(30);

    private final NodeSettings settings;
    private final List<LoadedModel> models;
    private final ActorSystem<Void> system;
    private final HttpEdge edge;
    private boolean closed;

    private Node(NodeSettings settings, List<LoadedModel> models, ActorSystem<Void> system, HttpEdge edge) {
        this.settings = settings;
        this.models = models;
        this.system = system;
        this.edge = edge;
    }

    /** Starts serving. On any failure nothing is left running. */
    static Node start(NodeSettings settings, List<Bundle> bundles) {
        List<LoadedModel> models = Models.load(bundles, settings.models());
        ActorSystem<Void> system = ActorSystem.create(Behaviors.empty(), "meridian", settings.root());
        try {
            PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
            List<ServedModel> served = new ArrayList<>();
            for (LoadedModel model : models) {
                served.add(host(system, settings, model));
                EngineMetrics.register(registry, model);
            }
            HttpEdge edge = HttpEdge.start(system, settings.edge(), new Directory(served), registry)
                    .toCompletableFuture()
                    .join();
            return new Node(settings, models, system, edge);
        } catch (CompletionException e) {
            stop(system, models);
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw new CommandFailed(String.valueOf(cause.getMessage()), cause);
        } catch (RuntimeException e) {
            stop(system, models);
            throw e;
        }
    }

    private static ServedModel host(ActorSystem<Void> system, NodeSettings settings, LoadedModel model) {
        CompletableFuture<ActorRef<ReplicaCommand>> ready = new CompletableFuture<>();
        system.systemActorOf(
                ModelHost.create(
                        model.id(),
                        model::encode,
                        listener -> model.start(listener, System::nanoTime),
                        settings.host(),
                        Clock.systemUTC(),
                        System::nanoTime,
                        ready),
                "model-" + model.id(),
                Props.empty());
        ActorRef<ReplicaCommand> replica = ready.orTimeout(
                        START_PATIENCE.toMillis(), java.util.concurrent.TimeUnit.MILLISECONDS)
                .join();
        return new ServedModel(
                model.id(),
                model.runner().contextTokens(),
                model.runner().vocabSize(),
                createdEpochSeconds(model),
                replica);
    }

    private static long createdEpochSeconds(LoadedModel model) {
        try {
            return Files.getLastModifiedTime(model.bundle().file(BundleManifest.FILE_NAME))
                    .toInstant()
                    .getEpochSecond();
        } catch (IOException e) {
            throw new CommandFailed(model.id() + ": " + e.getMessage(), e);
        }
    }

    InetSocketAddress clientAddress() {
        return edge.clientAddress();
    }

    InetSocketAddress adminAddress() {
        return edge.adminAddress();
    }

    List<LoadedModel> models() {
        return models;
    }

    /** Lets running streams end for the configured grace, then stops everything. Blocks; a second call does nothing. */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        edge.stop(settings.stopGrace()).toCompletableFuture().join();
        stop(system, models);
    }

    private static void stop(ActorSystem<Void> system, List<LoadedModel> models) {
        system.terminate();
        system.getWhenTerminated().toCompletableFuture().join();
        models.forEach(LoadedModel::close);
    }

    /** The models of this one process. */
    private record Directory(List<ServedModel> models) implements ModelDirectory {
        Directory {
            models = List.copyOf(models);
        }

        @Override
        public Optional<ServedModel> find(String id) {
            return models.stream().filter(model -> model.id().equals(id)).findFirst();
        }
    }
}

package dev.meridian.node;

import dev.meridian.actors.HostSettings;
import dev.meridian.actors.ModelHost;
import dev.meridian.edge.HttpEdge;
import dev.meridian.edge.Meters;
import dev.meridian.edge.ModelDirectory;
import dev.meridian.edge.ServedModel;
import dev.meridian.edge.stream.Destination;
import dev.meridian.engine.Engine;
import dev.meridian.engine.LoadedModel;
import dev.meridian.engine.StepListener;
import dev.meridian.engine.bundle.Bundle;
import dev.meridian.engine.bundle.BundleManifest;
import dev.meridian.engine.text.Encoded;
import dev.meridian.protocol.Prompt;
import dev.meridian.protocol.cluster.Residency;
import dev.meridian.protocol.message.ReplicaCommand;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.Terminated;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;

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
    private final ProcessMetrics metrics;
    private boolean closed;

    private Node(
            NodeSettings settings,
            List<LoadedModel> models,
            ActorSystem<Void> system,
            HttpEdge edge,
            ProcessMetrics metrics) {
        this.settings = settings;
        this.models = models;
        this.system = system;
        this.edge = edge;
        this.metrics = metrics;
    }

    /** Starts serving. On any failure nothing is left running. */
    static Node start(NodeSettings settings, List<Bundle> bundles) {
        List<LoadedModel> models =
                Models.load(bundles, settings.models(), settings.bundles().open());
        ActorSystem<Void> system = actorSystem(settings, models);
        try {
            Meters meters = Meters.create();
            List<ServedModel> served = new ArrayList<>();
            Map<String, ActorRef<ReplicaCommand>> replicas = new HashMap<>();
            for (LoadedModel model : models) {
                served.add(served(model, settings.residency().of(model.id())));
                replicas.put(model.id(), replica(system, settings, model));
                EngineMetrics.register(meters.registry(), model);
            }
            HttpEdge edge = HttpEdge.start(
                            system,
                            settings.edge(),
                            new Directory(
                                    settings.cluster().region(),
                                    settings.cluster().node(),
                                    served,
                                    replicas),
                            meters,
                            null)
                    .toCompletableFuture()
                    .join();
            return new Node(settings, models, system, edge, ProcessMetrics.register(meters.registry()));
        } catch (CompletionException e) {
            stop(system, models);
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw new CommandFailed(String.valueOf(cause.getMessage()), cause);
        } catch (RuntimeException e) {
            stop(system, models);
            throw e;
        }
    }

    private static ActorSystem<Void> actorSystem(NodeSettings settings, List<LoadedModel> models) {
        try {
            return ActorSystem.create(Behaviors.empty(), "meridian", settings.root());
        } catch (RuntimeException e) {
            models.forEach(LoadedModel::close);
            throw e;
        }
    }

    private static ActorRef<ReplicaCommand> replica(
            ActorSystem<Void> system, NodeSettings settings, LoadedModel model) {
        return host(
                system,
                settings.host(),
                model.id(),
                model::encode,
                listener -> model.start(listener, System::nanoTime),
                START_PATIENCE);
    }

    private static ServedModel served(LoadedModel model, Residency residency) {
        return new ServedModel(
                model.id(),
                model.runner().contextTokens(),
                model.runner().vocabSize(),
                createdEpochSeconds(model),
                residency);
    }

    /** Starts a model's actor and waits for it. Throws CommandFailed where it does not start, at once where it stops. */
    static ActorRef<ReplicaCommand> host(
            ActorSystem<?> system,
            HostSettings settings,
            String model,
            Function<Prompt, Encoded> encoder,
            Function<StepListener, Engine> startEngine,
            Duration patience) {
        CompletableFuture<ActorRef<ReplicaCommand>> ready = new CompletableFuture<>();
        ActorRef<ModelHost.Command> host = system.systemActorOf(
                ModelHost.create(
                        model,
                        encoder,
                        listener -> started(startEngine, listener, ready),
                        settings,
                        Clock.systemUTC(),
                        System::nanoTime,
                        ready),
                "model-" + model,
                Props.empty());
        system.systemActorOf(
                onceStopped(
                        host,
                        () -> ready.completeExceptionally(
                                new IllegalStateException("its actor stopped; the log says why"))),
                "start-of-" + model,
                Props.empty());
        try {
            return ready.orTimeout(patience.toMillis(), TimeUnit.MILLISECONDS).join();
        } catch (CompletionException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            String why = cause instanceof TimeoutException
                    ? "no answer from its actor within " + patience.toSeconds() + " s"
                    : String.valueOf(cause.getMessage());
            throw new CommandFailed("model " + model + " does not start: " + why, cause);
        }
    }

    /** An actor whose setup fails tells nobody why; whoever waits for it hears it from here. */
    private static Engine started(
            Function<StepListener, Engine> startEngine, StepListener listener, CompletableFuture<?> ready) {
        try {
            return startEngine.apply(listener);
        } catch (RuntimeException | Error e) {
            ready.completeExceptionally(e);
            throw e;
        }
    }

    private static Behavior<Void> onceStopped(ActorRef<?> watched, Runnable action) {
        return Behaviors.setup(context -> {
            context.watch(watched);
            return Behaviors.receiveSignal((_, signal) -> {
                if (signal instanceof Terminated) {
                    action.run();
                    return Behaviors.stopped();
                }
                return Behaviors.same();
            });
        });
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
        return edge.clientAddress().orElseThrow();
    }

    Optional<InetSocketAddress> adminAddress() {
        return edge.adminAddress();
    }

    List<LoadedModel> models() {
        return models;
    }

    /** Goes on for the configured delay, lets running streams end for the configured grace, then stops everything. Blocks; a second call does nothing. */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        edge.stop(settings.stopDelay(), settings.stopGrace())
                .toCompletableFuture()
                .join();
        metrics.close();
        stop(system, models);
    }

    private static void stop(ActorSystem<Void> system, List<LoadedModel> models) {
        system.terminate();
        system.getWhenTerminated().toCompletableFuture().join();
        models.forEach(LoadedModel::close);
    }

    /** The models of this one process. */
    record Directory(
            String region, String node, List<ServedModel> models, Map<String, ActorRef<ReplicaCommand>> replicas)
            implements ModelDirectory {
        Directory {
            models = List.copyOf(models);
            replicas = Map.copyOf(replicas);
        }

        @Override
        public Optional<ServedModel> find(String id) {
            return models.stream().filter(model -> model.id().equals(id)).findFirst();
        }

        @Override
        public Optional<Destination> replica(
                String model, Residency residency, @Nullable ActorRef<ReplicaCommand> but) {
            return Optional.ofNullable(replicas.get(model))
                    .filter(_ -> residency.allows(region))
                    .map(host -> new Destination(host, region, node, model));
        }

        @Override
        public Optional<Destination> destination(ActorRef<ReplicaCommand> host) {
            return Optional.empty(); // Nobody else answers for a host here.
        }
    }
}

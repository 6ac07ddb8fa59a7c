package dev.meridian.actors;

import dev.meridian.actors.HeldReplicas.Held;
import dev.meridian.engine.StepListener;
import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.Entry;
import dev.meridian.protocol.Refusal;
import dev.meridian.protocol.cluster.ModelInfo;
import dev.meridian.protocol.cluster.Pin;
import dev.meridian.protocol.cluster.PinTable;
import dev.meridian.protocol.cluster.ReplicaId;
import dev.meridian.protocol.cluster.ReplicaState;
import dev.meridian.protocol.message.ReplicaCommand;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Owns the loaded models of a node, and makes them what its region's pins say: loads what is pinned here or is to move here,
 * drains and unloads what is not. A replica goes through these states:
 *
 * <pre>
 * pinned here, or to move here -> LOADING
 *   loaded -> STANDBY, or READY where it is pinned here; from one to the other as pins change
 *          -> not pinned here any more: DRAINING; its host stopped and its memory freed: gone
 *   failed, or its host stopped unasked -> FAILED; after a while forgotten, and so loaded anew where it is pinned here still
 * </pre>
 *
 * <p>Loads and unloads block, so they run elsewhere, one after the other. A replica that comes back while it drains is
 * loaded anew once it is gone.
 */
public final class NodeModels {
    private static final Logger LOG = LoggerFactory.getLogger(NodeModels.class);

    /** Others see for so long that a load failed: else a bundle that nobody can load would go from node to node at once. */
    static final Duration RETRY_AFTER = Duration.ofMinutes(1);

    /** Longer than any stream. */
    private static final Duration UNHURRIED = Duration.ofDays(1);

    /** What it hears. */
    public sealed interface Command {}

    /** Do as these pins say. */
    public record Follow(PinTable table) implements Command {}

    /** Drain and unload everything, answer, and stop. */
    public record Stop(Duration drainDeadline, ActorRef<Done> replyTo) implements Command {}

    private record Loaded(
            ReplicaId id,
            @Nullable HostedModel model,
            @Nullable String failure,
            long nanos) implements Command {}

    private record HostReady(ReplicaId id, ActorRef<ReplicaCommand> ref) implements Command {}

    private record HostStopped(ReplicaId id) implements Command {}

    private record EngineDied(ReplicaId id) implements Command {}

    private record Unloaded(ReplicaId id, boolean asked) implements Command {}

    private record Retry(ReplicaId id) implements Command {}

    /**
     * What it works with.
     *
     * @param node the id of this node
     * @param budgetBytes native memory for all replicas together
     * @param loadables bundles by model and digest
     * @param drainDeadline how long the streams of a replica that moved may stay
     * @param held gets what it holds after each change
     */
    public record Setup(
            String node,
            long budgetBytes,
            List<Loadable> loadables,
            Duration drainDeadline,
            HostSettings host,
            HeldReplicas held,
            Clock clock,
            LongSupplier nanoClock) {
        public Setup {
            loadables = List.copyOf(loadables);
        }
    }

    private final ActorContext<Command> context;
    private final TimerScheduler<Command> timers;
    private final Setup setup;
    private final Executor blocking;
    private final Map<ReplicaId, Held> replicas = new TreeMap<>();
    private final Map<ReplicaId, ActorRef<ModelHost.Command>> hosts = new HashMap<>();
    /** These drain for as long as their streams take. */
    private final Set<ReplicaId> unhurried = new HashSet<>();

    private CompletableFuture<?> lastBlocking = CompletableFuture.completedFuture(null);
    private PinTable table;
    private @Nullable Stop stopping;

    private NodeModels(ActorContext<Command> context, TimerScheduler<Command> timers, Setup setup) {
        this.context = context;
        this.timers = timers;
        this.setup = setup;
        blocking = context.getSystem().dispatchers().lookup(DispatcherSelector.blocking());
        table = PinTable.empty("none");
    }

    /** Holding nothing. */
    public static Behavior<Command> create(Setup setup) {
        return Behaviors.setup(
                context -> Behaviors.withTimers(timers -> new NodeModels(context, timers, setup).running()));
    }

    private Behavior<Command> running() {
        return Behaviors.receiveMessage(command -> {
            switch (command) {
                case Follow(PinTable newest) -> table = newest;
                case Stop stop -> onStop(stop);
                case Loaded loaded -> onLoaded(loaded);
                case HostReady(ReplicaId id, ActorRef<ReplicaCommand> ref) -> onHostReady(id, ref);
                case HostStopped(ReplicaId id) -> onHostStopped(id);
                case EngineDied(ReplicaId id) -> onEngineDied(id);
                case Unloaded unloaded -> onUnloaded(unloaded);
                case Retry(ReplicaId id) -> onRetry(id);
            }
            follow();
            setup.held().set(new ArrayList<>(replicas.values()));
            Stop stop = stopping;
            if (stop != null && replicas.isEmpty()) {
                stop.replyTo().tell(Done.getInstance());
                return Behaviors.stopped();
            }
            return Behaviors.same();
        });
    }

    /** What drains already has as little time from now on as the rest. */
    private void onStop(Stop stop) {
        stopping = stop;
        hosts.values().forEach(host -> host.tell(new ModelHost.Drain(stop.drainDeadline())));
    }

    private void follow() {
        Map<ReplicaId, Pin> mine = new HashMap<>();
        if (stopping == null) {
            for (Pin pin : table.pins()) {
                if (pin.node().equals(setup.node()) || setup.node().equals(pin.next())) {
                    mine.put(pin.replica(), pin);
                }
            }
        }
        for (Held held : List.copyOf(replicas.values())) {
            Pin pin = mine.remove(held.id());
            if (pin != null) {
                keep(held, pin);
            } else {
                release(held);
            }
        }
        mine.values().forEach(this::load);
    }

    private void keep(Held held, Pin pin) {
        boolean serves = held.state() == ReplicaState.STANDBY || held.state() == ReplicaState.READY;
        ReplicaState state = !serves ? held.state() : stateOf(pin);
        put(held, pin.generation(), state);
        ActorRef<ModelHost.Command> host = hosts.get(held.id());
        if (host != null && serves) {
            host.tell(new ModelHost.Pinned(pin.generation()));
        }
    }

    private ReplicaState stateOf(Pin pin) {
        return pin.node().equals(setup.node()) ? ReplicaState.READY : ReplicaState.STANDBY;
    }

    private void release(Held held) {
        switch (held.state()) {
            case STANDBY, READY -> {
                drain(held.id());
                put(held, held.generation(), ReplicaState.DRAINING);
                LOG.info("{} drains", held.id());
            }
            case FAILED -> {
                if (stopping != null) {
                    replicas.remove(held.id());
                }
            }
            case DRAINING -> {
                if (unhurried.contains(held.id()) && !drainDeadline(held.id()).equals(UNHURRIED)) {
                    drain(held.id());
                }
            }
            case LOADING -> {} // Its end is on its way.
        }
    }

    private void drain(ReplicaId id) {
        Duration deadline = drainDeadline(id);
        if (deadline.equals(UNHURRIED)) {
            unhurried.add(id);
        } else {
            unhurried.remove(id);
        }
        ActorRef<ModelHost.Command> host = hosts.get(id);
        if (host != null) {
            host.tell(new ModelHost.Drain(deadline));
        }
    }

    /** Where nobody has asked for it, and nobody else in the region takes its streams over, they may end as they are. */
    private Duration drainDeadline(ReplicaId id) {
        Stop stop = stopping;
        if (stop != null) {
            return stop.drainDeadline();
        }
        boolean asked =
                table.placement(id.model()).isPresent() || table.draining().contains(setup.node());
        boolean takenOver =
                table.pins().stream().anyMatch(pin -> pin.replica().model().equals(id.model()));
        return asked || takenOver ? setup.drainDeadline() : UNHURRIED;
    }

    private void put(Held held, long generation, ReplicaState state) {
        put(held.with(generation, state));
    }

    private void put(Held held) {
        replicas.put(held.id(), held);
    }

    private void load(Pin pin) {
        ReplicaId id = pin.replica();
        Optional<Loadable> found = setup.loadables().stream()
                .filter(one -> one.info().id().equals(id.model())
                        && one.info().digest().equals(id.digest()))
                .findFirst();
        if (found.isEmpty()) {
            return; // The placement goes by what this node says that it has; this pin is older than that.
        }
        Loadable loadable = found.get();
        long reserved =
                replicas.values().stream().mapToLong(Held::reservedBytes).sum();
        if (reserved + loadable.reservedBytes() > setup.budgetBytes()) {
            LOG.error(
                    "{} needs {} bytes, and {} of {} are reserved already",
                    id,
                    loadable.reservedBytes(),
                    reserved,
                    setup.budgetBytes());
            fail(id, pin.generation(), loadable.info());
            return;
        }
        put(new Held(
                id, pin.generation(), ReplicaState.LOADING, loadable.info(), loadable.reservedBytes(), null, null));
        AtomicLong begun = new AtomicLong();
        CompletableFuture<HostedModel> load = inTurn(() -> {
            begun.set(setup.nanoClock().getAsLong());
            return loadable.load().get();
        });
        context.pipeToSelf(
                load,
                (model, failure) -> new Loaded(
                        id,
                        model,
                        failure == null ? null : reason(failure),
                        setup.nanoClock().getAsLong() - begun.get()));
    }

    /** Blocking work, one piece after the other: two loads at a time would only make both slow. */
    private <T> CompletableFuture<T> inTurn(Supplier<T> work) {
        CompletableFuture<T> next = lastBlocking.handleAsync((_, _) -> work.get(), blocking);
        lastBlocking = next;
        return next;
    }

    private static String reason(Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        return String.valueOf(cause.getMessage());
    }

    private void onLoaded(Loaded loaded) {
        Held held = held(loaded.id());
        HostedModel model = loaded.model();
        if (model == null) {
            LOG.error("{} could not be loaded: {}", loaded.id(), loaded.failure());
            fail(held.id(), held.generation(), held.info());
            return;
        }
        setup.held().loaded(held.reservedBytes(), loaded.nanos());
        CompletableFuture<ActorRef<ReplicaCommand>> ready = new CompletableFuture<>();
        ActorRef<Command> self = context.getSelf();
        ActorRef<ModelHost.Command> host = context.spawn(
                ModelHost.create(
                        held.id().model(),
                        model::encode,
                        listener -> model.start(new Watched(listener, () -> self.tell(new EngineDied(held.id())))),
                        setup.host(),
                        setup.clock(),
                        setup.nanoClock(),
                        ready),
                held.id() + "." + held.generation());
        context.watchWith(host, new HostStopped(held.id()));
        hosts.put(held.id(), host);
        put(held.loaded(model));
        context.pipeToSelf(ready, (ref, failure) -> new HostReady(held.id(), ref));
    }

    private void onHostReady(ReplicaId id, ActorRef<ReplicaCommand> ref) {
        Held held = held(id);
        if (held.state() == ReplicaState.LOADING) {
            LOG.info("{} is loaded", id);
            put(held.standingBy(ref));
        }
    }

    /** Its host has refused all that it had; it ends, and the replica counts as one that could not be loaded. */
    private void onEngineDied(ReplicaId id) {
        ActorRef<ModelHost.Command> host = hosts.get(id);
        if (host != null) {
            LOG.error("the engine of {} failed", id);
            host.tell(new ModelHost.Drain(Duration.ZERO));
        }
    }

    /** Passes on what an engine says, and tells of its end. */
    private record Watched(StepListener listener, Runnable died) implements StepListener {
        @Override
        public void onStep(long step, List<Entry> entries) {
            listener.onStep(step, entries);
        }

        @Override
        public void onRefused(Attempt attempt, Refusal reason) {
            listener.onRefused(attempt, reason);
        }

        @Override
        public void onFailed(Throwable cause) {
            listener.onFailed(cause);
            died.run();
        }
    }

    private void onHostStopped(ReplicaId id) {
        Held held = held(id);
        hosts.remove(id);
        unhurried.remove(id);
        boolean asked = held.state() == ReplicaState.DRAINING;
        if (!asked) {
            LOG.error("the host of {} stopped", id);
            put(held, held.generation(), ReplicaState.DRAINING);
        }
        HostedModel model = held.model();
        CompletableFuture<Done> unload = inTurn(() -> {
            if (model != null) {
                model.close();
            }
            return Done.getInstance();
        });
        context.pipeToSelf(unload, (_, failure) -> {
            if (failure != null) {
                LOG.error("{} could not be unloaded", id, failure);
            }
            return new Unloaded(id, asked);
        });
    }

    private void onUnloaded(Unloaded unloaded) {
        Held held = held(unloaded.id());
        if (unloaded.asked()) {
            replicas.remove(held.id());
        } else {
            fail(held.id(), held.generation(), held.info());
        }
    }

    private void fail(ReplicaId id, long generation, ModelInfo info) {
        put(new Held(id, generation, ReplicaState.FAILED, info, 0, null, null));
        timers.startSingleTimer(id, new Retry(id), RETRY_AFTER);
    }

    private void onRetry(ReplicaId id) {
        Held held = replicas.get(id);
        if (held != null && held.state() == ReplicaState.FAILED) {
            replicas.remove(id);
        }
    }

    private Held held(ReplicaId id) {
        Held held = replicas.get(id);
        if (held == null) {
            throw new IllegalStateException("nothing is held of " + id);
        }
        return held;
    }
}

package dev.meridian.placement;

import dev.meridian.protocol.cluster.NodeMessage;
import dev.meridian.protocol.cluster.NodeMessage.NodeStatus;
import dev.meridian.protocol.cluster.NodeMessage.StatusSeen;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * Tells all other nodes what this one is and does, every interval and whenever that changes, and keeps what they tell. These statuses are the cluster's
 * heartbeat for everything but membership: the routing table, the witnesses of a split, the placement's facts. A node that
 * was silent for long is forgotten.
 */
public final class NodeDirectory {
    /** Where it runs on every node, below {@code /system}. */
    public static final String NAME = "node-directory";

    /** What a round-trip time is measured over; an answer that takes longer is not looked at. */
    private static final int REMEMBERED_SENDS = 64;

    /** What the directory hears. */
    public sealed interface Command {}

    private record FromNode(NodeMessage message) implements Command {}

    private enum Tick implements Command {
        NOW
    }

    private final ActorRef<NodeMessage> self;
    private final NodeIdentity identity;
    private final LocalNode local;
    private final Supplier<Boolean> draining;
    private final Supplier<Collection<ActorRef<NodeMessage>>> peers;
    private final Consumer<ClusterView> views;
    private final Duration silence;
    private final Duration forgetAfter;
    private final LongSupplier nanoClock;
    private final Map<String, NodeView> nodes = new HashMap<>();
    private final long[] sentNanos = new long[REMEMBERED_SENDS];
    private long sequence;

    private NodeDirectory(
            ActorContext<Command> context,
            NodeIdentity identity,
            LocalNode local,
            Supplier<Boolean> draining,
            PlacementSettings settings,
            Supplier<Collection<ActorRef<NodeMessage>>> peers,
            Consumer<ClusterView> views,
            LongSupplier nanoClock) {
        self = context.getSelf().unsafeUpcast();
        this.identity = identity;
        this.local = local;
        this.draining = draining;
        this.peers = peers;
        this.views = views;
        this.nanoClock = nanoClock;
        silence = settings.silence();
        forgetAfter = settings.forgetAfter();
    }

    /**
     * A directory.
     *
     * @param local asked every interval, on the actor's thread
     * @param draining whether an operator empties this node
     * @param peers the directories of all other members now
     * @param views gets each new picture, on the actor's thread
     * @param nanoClock like {@link System#nanoTime}
     */
    public static Behavior<NodeMessage> create(
            NodeIdentity identity,
            LocalNode local,
            Supplier<Boolean> draining,
            PlacementSettings settings,
            Supplier<Collection<ActorRef<NodeMessage>>> peers,
            Consumer<ClusterView> views,
            LongSupplier nanoClock) {
        Behavior<Command> directory = Behaviors.setup(context -> Behaviors.withTimers(timers -> {
            NodeDirectory created =
                    new NodeDirectory(context, identity, local, draining, settings, peers, views, nanoClock);
            timers.startTimerAtFixedRate(Tick.NOW, Duration.ZERO, settings.statusInterval());
            ActorRef<Command> self = context.getSelf();
            local.onChange(() -> self.tell(Tick.NOW));
            return created.running();
        }));
        return Behaviors.transformMessages(
                NodeMessage.class, directory, builder -> builder.match(NodeMessage.class, FromNode::new));
    }

    private Behavior<Command> running() {
        return Behaviors.receiveMessage(command -> {
            switch (command) {
                case FromNode(NodeStatus status) -> onStatus(status);
                case FromNode(StatusSeen seen) -> onSeen(seen);
                case Tick.NOW -> onTick();
            }
            return Behaviors.same();
        });
    }

    private void onStatus(NodeStatus status) {
        if (status.node().equals(identity.id())) {
            return;
        }
        NodeView known = nodes.get(status.node());
        if (known == null || status.isNewerThan(known.status())) {
            long rtt = known == null ? NodeView.NO_RTT : known.rttMicros();
            nodes.put(status.node(), new NodeView(status, nanoClock.getAsLong(), rtt));
            publish();
        }
        status.directory().tell(new StatusSeen(identity.id(), status.incarnation(), status.sequence()));
    }

    private void onSeen(StatusSeen seen) {
        NodeView by = nodes.get(seen.by());
        long age = sequence - seen.sequence();
        boolean remembered = seen.sequence() > 0 && age >= 0 && age < REMEMBERED_SENDS;
        if (by != null && seen.incarnation() == identity.incarnation() && remembered) {
            long nanos = nanoClock.getAsLong() - sentNanos[(int) (seen.sequence() % REMEMBERED_SENDS)];
            nodes.put(seen.by(), new NodeView(by.status(), by.heardNanos(), TimeUnit.NANOSECONDS.toMicros(nanos)));
        }
    }

    private void onTick() {
        long now = nanoClock.getAsLong();
        sentNanos[(int) (++sequence % REMEMBERED_SENDS)] = now;
        nodes.values().removeIf(node -> node.silentNanos(now) > forgetAfter.toNanos());
        NodeStatus status = status(now);
        nodes.put(identity.id(), new NodeView(status, now, 0));
        peers.get().forEach(peer -> peer.tell(status));
        publish();
    }

    private NodeStatus status(long now) {
        List<String> hears = nodes.values().stream()
                .filter(node -> !node.id().equals(identity.id()) && node.silentNanos(now) <= silence.toNanos())
                .map(NodeView::id)
                .sorted()
                .toList();
        return new NodeStatus(
                identity.id(),
                identity.region(),
                identity.roles(),
                identity.incarnation(),
                sequence,
                local.leaving(),
                draining.get(),
                identity.budgetBytes(),
                local.reservedBytes(),
                local.bundles(),
                local.replicas(),
                hears,
                local.demand(),
                local.loadBytesPerSecond(),
                self);
    }

    private void publish() {
        views.accept(new ClusterView(nodes.values()));
    }
}

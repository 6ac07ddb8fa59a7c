package dev.meridian.placement;

import dev.meridian.protocol.cluster.PinMessage;
import dev.meridian.protocol.cluster.PinTable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.ddata.Key;
import org.apache.pekko.cluster.ddata.LWWRegister;
import org.apache.pekko.cluster.ddata.LWWRegisterKey;
import org.apache.pekko.cluster.ddata.SelfUniqueAddress;
import org.apache.pekko.cluster.ddata.typed.javadsl.DistributedData;
import org.apache.pekko.cluster.ddata.typed.javadsl.Replicator;
import org.apache.pekko.cluster.ddata.typed.javadsl.ReplicatorMessageAdapter;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the pins on one node: those of its own region on disk, those of all regions in memory. A table comes from the
 * region's placement, directly or by Distributed Data, which also brings it to nodes that were away and to other regions.
 * The highest generation wins. A table of the own region is on this node's disk before anything on this node follows it.
 */
public final class PinKeeper {
    /** Where it runs on every node, below {@code /system}. */
    public static final String NAME = "pin-keeper";

    private static final Logger LOG = LoggerFactory.getLogger(PinKeeper.class);
    private static final Duration LOOK_FOR_REGIONS = Duration.ofMillis(500);
    private static final LWWRegister.Clock<PinTable> BY_GENERATION = new LWWRegister.Clock<>() {
        @Override
        public long apply(long currentTimestamp, PinTable value) {
            return value.generation();
        }
    };

    /** What the keeper hears. */
    public sealed interface Command {}

    private record FromNode(PinMessage message) implements Command {}

    private record Written(PinTable table) implements Command {}

    private record Replicated(Replicator.SubscribeResponse<LWWRegister<PinTable>> response) implements Command {}

    private record Updated(Replicator.UpdateResponse<LWWRegister<PinTable>> response) implements Command {}

    private enum Look implements Command {
        NOW
    }

    private final ActorContext<Command> context;
    private final ReplicatorMessageAdapter<Command, LWWRegister<PinTable>> replicator;
    private final SelfUniqueAddress selfAddress;
    private final String region;
    private final PinFile file;
    private final Executor blocking;
    private final Supplier<Set<String>> regions;
    private final Supplier<Collection<ActorRef<PinMessage>>> peers;
    private final Consumer<Map<String, PinTable>> published;
    private final Map<String, PinTable> tables = new HashMap<>();
    private final Set<String> watched = new HashSet<>();
    private PinTable newest;
    private boolean writing;

    private PinKeeper(
            ActorContext<Command> context,
            ReplicatorMessageAdapter<Command, LWWRegister<PinTable>> replicator,
            PinTable onDisk,
            PinFile file,
            Supplier<Set<String>> regions,
            Supplier<Collection<ActorRef<PinMessage>>> peers,
            Consumer<Map<String, PinTable>> published) {
        this.context = context;
        this.replicator = replicator;
        this.file = file;
        this.regions = regions;
        this.peers = peers;
        this.published = published;
        region = onDisk.region();
        newest = onDisk;
        selfAddress = DistributedData.get(context.getSystem()).selfUniqueAddress();
        blocking = context.getSystem().dispatchers().lookup(DispatcherSelector.blocking());
        tables.put(region, onDisk);
        replicate(onDisk);
        look();
        publish();
    }

    /**
     * A keeper.
     *
     * @param onDisk the newest table of this node's region that its disk holds
     * @param file where newer ones go
     * @param regions all that are known now
     * @param peers the keepers of the other nodes of this region
     * @param published gets all tables by region after each change, on the actor's thread
     */
    public static Behavior<PinMessage> create(
            PinTable onDisk,
            PinFile file,
            Supplier<Set<String>> regions,
            Supplier<Collection<ActorRef<PinMessage>>> peers,
            Consumer<Map<String, PinTable>> published) {
        Behavior<Command> keeper = Behaviors.setup(context -> Behaviors.withTimers(timers -> {
            timers.startTimerWithFixedDelay(Look.NOW, LOOK_FOR_REGIONS);
            return DistributedData.withReplicatorMessageAdapter(
                    (ReplicatorMessageAdapter<Command, LWWRegister<PinTable>> replicator) ->
                            new PinKeeper(context, replicator, onDisk, file, regions, peers, published).running());
        }));
        return Behaviors.transformMessages(
                PinMessage.class, keeper, builder -> builder.match(PinMessage.class, FromNode::new));
    }

    private Behavior<Command> running() {
        return Behaviors.receiveMessage(command -> {
            switch (command) {
                case FromNode(PinMessage.Newest(PinTable table)) -> onTable(table);
                case FromNode(PinMessage.Ask(ActorRef<PinMessage> replyTo)) ->
                    replyTo.tell(new PinMessage.Newest(newest));
                case Written(PinTable table) -> onWritten(table);
                case Replicated(Replicator.SubscribeResponse<LWWRegister<PinTable>> response) -> onReplicated(response);
                case Updated(Replicator.UpdateResponse<LWWRegister<PinTable>> response) -> onUpdated(response);
                case Look.NOW -> look();
            }
            return Behaviors.same();
        });
    }

    private void onTable(PinTable table) {
        if (!table.region().equals(region)) {
            PinTable known = tables.get(table.region());
            if (known == null || table.generation() > known.generation()) {
                tables.put(table.region(), table);
                publish();
            }
        } else if (table.generation() > newest.generation()) {
            newest = table;
            if (!writing) {
                write(table);
            }
        }
    }

    private void write(PinTable table) {
        writing = true;
        context.pipeToSelf(CompletableFuture.supplyAsync(() -> append(table), blocking), (_, failure) -> {
            if (failure != null) {
                LOG.error("the pins of generation {} are not on this node's disk", table.generation(), failure);
            }
            return new Written(table);
        });
    }

    private PinTable append(PinTable table) {
        try {
            file.append(table);
            return table;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Where the disk is full the node follows all the same: its region's other nodes have the table. */
    private void onWritten(PinTable table) {
        writing = false;
        tables.put(region, table);
        publish();
        replicate(table);
        if (newest.generation() > table.generation()) {
            write(newest);
        }
    }

    private void replicate(PinTable table) {
        if (table.generation() == 0) {
            return;
        }
        peers.get().forEach(peer -> peer.tell(new PinMessage.Newest(table)));
        replicator.askUpdate(
                replyTo -> new Replicator.Update<>(
                        key(region),
                        LWWRegister.create(selfAddress, table, BY_GENERATION),
                        Replicator.writeLocal(),
                        replyTo,
                        current -> current.getValue().generation() < table.generation()
                                ? current.withValue(selfAddress, table, BY_GENERATION)
                                : current),
                Updated::new);
    }

    private void onUpdated(Replicator.UpdateResponse<LWWRegister<PinTable>> response) {
        if (!(response instanceof Replicator.UpdateSuccess)) {
            LOG.warn(
                    "Distributed Data did not take the pins: {}",
                    response.getClass().getSimpleName());
        }
    }

    private void onReplicated(Replicator.SubscribeResponse<LWWRegister<PinTable>> response) {
        if (response instanceof Replicator.Changed<LWWRegister<PinTable>> changed) {
            onTable(changed.get(changed.key()).getValue());
        }
    }

    private void look() {
        Set<String> all = new HashSet<>(regions.get());
        all.add(region);
        for (String one : all) {
            if (watched.add(one)) {
                replicator.subscribe(key(one), Replicated::new);
            }
        }
    }

    private static Key<LWWRegister<PinTable>> key(String region) {
        return LWWRegisterKey.create("pins-" + region);
    }

    private void publish() {
        published.accept(Map.copyOf(tables));
    }
}

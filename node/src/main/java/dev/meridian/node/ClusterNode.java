package dev.meridian.node;

import dev.meridian.actors.HeldReplicas;
import dev.meridian.actors.Loadable;
import dev.meridian.actors.NodeModels;
import dev.meridian.edge.HttpEdge;
import dev.meridian.edge.Meters;
import dev.meridian.edge.admin.AdminCluster;
import dev.meridian.edge.admin.DemandRow;
import dev.meridian.edge.admin.NodeRow;
import dev.meridian.edge.admin.PolicyRows;
import dev.meridian.edge.stream.DemandMeter;
import dev.meridian.placement.ClusterView;
import dev.meridian.placement.ClusterViews;
import dev.meridian.placement.FirstTokenTimes;
import dev.meridian.placement.LocalNode;
import dev.meridian.placement.NodeDirectory;
import dev.meridian.placement.NodeIdentity;
import dev.meridian.placement.NodeView;
import dev.meridian.placement.PinFile;
import dev.meridian.placement.PinKeeper;
import dev.meridian.placement.PinnedAllocation;
import dev.meridian.placement.RegionPlacement;
import dev.meridian.placement.ReplicaChoice;
import dev.meridian.protocol.cluster.ModelDemand;
import dev.meridian.protocol.cluster.ModelInfo;
import dev.meridian.protocol.cluster.Pin;
import dev.meridian.protocol.cluster.PinMessage;
import dev.meridian.protocol.cluster.PinTable;
import dev.meridian.protocol.cluster.PlacementCommand;
import dev.meridian.protocol.cluster.ReplicaId;
import dev.meridian.protocol.cluster.ReplicaState;
import dev.meridian.protocol.cluster.ReplicaStatus;
import dev.meridian.protocol.message.ReplicaCommand;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Clock;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import org.apache.pekko.Done;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.AddressFromURIString;
import org.apache.pekko.actor.BootstrapSetup;
import org.apache.pekko.actor.CoordinatedShutdown;
import org.apache.pekko.actor.setup.ActorSystemSetup;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.ClusterSingleton;
import org.apache.pekko.cluster.typed.ClusterSingletonSettings;
import org.apache.pekko.cluster.typed.Join;
import org.apache.pekko.cluster.typed.JoinSeedNodes;
import org.apache.pekko.cluster.typed.SingletonActor;
import org.apache.pekko.remote.artery.tcp.SSLEngineProvider;
import org.apache.pekko.remote.artery.tcp.SSLEngineProviderSetup;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The composition root of one member of a cluster: models that follow its region's pins, a keeper of these pins, a directory of
 * all nodes, its region's placement where it is this node's turn, and an HTTP edge over what it knows.
 */
final class ClusterNode implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ClusterNode.class);
    private static final Duration LEAVE_WITHIN = Duration.ofSeconds(20);
    private static final long POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    private final NodeSettings settings;
    private final ClusterSettings self;
    private final List<Loadable> loadables;
    private final Meters meters;
    private final ActorSystem<Void> system;
    private final ClusterMembers members;
    private final HeldReplicas held = new HeldReplicas(System::nanoTime);
    private final ClusterViews view;
    private final AtomicReference<Map<String, PinTable>> tables = new AtomicReference<>(Map.of());
    private final ActorRef<NodeModels.Command> models;
    private final ReplicaEntrance entrance;
    private final DemandMeter demand;
    private final Behavior<PlacementCommand> placementBehavior;
    private final Map<String, ActorRef<PlacementCommand>> placements = new ConcurrentHashMap<>();
    private volatile boolean leaving;
    private @Nullable HttpEdge edge;
    private boolean closed;

    private ClusterNode(
            NodeSettings settings, List<Loadable> loadables, Meters meters, ActorSystem<Void> system, PinTable onDisk) {
        this.settings = settings;
        this.loadables = List.copyOf(loadables);
        this.meters = meters;
        this.system = system;
        self = settings.cluster();
        view = ClusterViews.get(system);
        demand = new DemandMeter(
                settings.placement().demandHalfLife(), settings.placement().loadHalfLife(), System::nanoTime);
        members = new ClusterMembers(system, self.region());
        models = system.systemActorOf(
                NodeModels.create(new NodeModels.Setup(
                        self.node(),
                        settings.models().memoryBudgetBytes(),
                        loadables,
                        settings.placement().drainDeadline(),
                        settings.host(),
                        held,
                        Clock.systemUTC(),
                        System::nanoTime)),
                "node-models",
                Props.empty());
        entrance = new ReplicaEntrance(
                system,
                self.region(),
                held,
                this::servingHost,
                new PinnedAllocation(members::nodeOf, shard -> pin(ReplicaId.parse(shard))),
                Clock.systemUTC(),
                System::nanoTime);
        ActorRef<PinMessage> keeper = system.systemActorOf(
                PinKeeper.create(
                        onDisk, new PinFile(self.stateFile()), this::regions, members::keepers, this::onTables),
                PinKeeper.NAME,
                Props.empty());
        NodeIdentity identity = new NodeIdentity(
                self.node(),
                self.region(),
                self.roles(),
                System.currentTimeMillis(),
                settings.models().memoryBudgetBytes());
        system.systemActorOf(
                NodeDirectory.create(
                        identity,
                        new Local(),
                        this::isDraining,
                        settings.placement(),
                        members::directories,
                        view::set,
                        System::nanoTime),
                NodeDirectory.NAME,
                Props.empty());
        placementBehavior = RegionPlacement.create(new RegionPlacement.Surroundings(
                self.region(),
                settings.placement(),
                members::regionNodes,
                view::newest,
                this::table,
                this::ownTable,
                () -> keepers(keeper),
                Clock.systemUTC(),
                System::nanoTime));
        placements.put(
                self.region(), ClusterSingleton.get(system).init(SingletonActor.of(placementBehavior, "placement")));
    }

    private List<ActorRef<PinMessage>> keepers(ActorRef<PinMessage> own) {
        List<ActorRef<PinMessage>> all = new ArrayList<>(List.of(own));
        all.addAll(members.keepers());
        return all;
    }

    private Set<String> regions() {
        return view.newest().nodes().stream()
                .map(node -> node.status().region())
                .collect(Collectors.toSet());
    }

    private Optional<Pin> pin(ReplicaId replica) {
        return table(replica.region()).pin(replica);
    }

    private PinTable table(String region) {
        return tables.get().getOrDefault(region, PinTable.empty(region));
    }

    /** The host that serves a replica now, on whichever node. */
    private Optional<ActorRef<ReplicaCommand>> servingHost(ReplicaId replica) {
        long now = System.nanoTime();
        return view.newest().candidates(replica.model()).stream()
                .filter(candidate -> candidate.replica().id().equals(replica)
                        && candidate.replica().state() == ReplicaState.READY
                        && candidate.node().silentNanos(now)
                                <= settings.placement().silence().toNanos())
                .max(Comparator.comparingLong(candidate -> candidate.replica().generation()))
                .flatMap(candidate -> Optional.ofNullable(candidate.replica().host()));
    }

    private PinTable ownTable() {
        return table(self.region());
    }

    private boolean isDraining() {
        return ownTable().draining().contains(self.node());
    }

    private void onTables(Map<String, PinTable> newest) {
        tables.set(newest);
        models.tell(new NodeModels.Follow(ownTable()));
        if (self.isEdge()) {
            ownTable().pins().forEach(pin -> entrance.find(pin.replica()));
        }
    }

    /** What this node says of itself. */
    private final class Local implements LocalNode {
        private final List<ModelInfo> bundles = ClusterNode.this.bundles();

        @Override
        public boolean leaving() {
            return leaving;
        }

        @Override
        public long reservedBytes() {
            return held.reservedBytes();
        }

        @Override
        public List<ModelInfo> bundles() {
            return bundles;
        }

        @Override
        public List<ReplicaStatus> replicas() {
            return held.statuses();
        }

        @Override
        public List<ModelDemand> demand() {
            return demand.demand();
        }

        @Override
        public long loadBytesPerSecond() {
            return held.loadBytesPerSecond();
        }

        @Override
        public void onChange(Runnable changed) {
            held.onChange(changed);
            demand.onWaiting(changed);
        }
    }

    /** What operators see and change from this node. */
    private final class Operators implements AdminCluster {
        private final PolicyReport policy = new PolicyReport(settings.placement());

        @Override
        public boolean joined() {
            return members.nodes(MemberStatus.up()).contains(self.node());
        }

        @Override
        public List<NodeRow> nodes() {
            long now = System.nanoTime();
            Set<String> up = members.nodes(MemberStatus.up());
            return view.newest().nodes().stream()
                    .map(node -> new NodeRow(node.status(), condition(node, up, now), node.rttMicros()))
                    .toList();
        }

        private String condition(NodeView node, Set<String> up, long now) {
            boolean drained = table(node.status().region()).draining().contains(node.id());
            if (node.silentNanos(now) > settings.placement().silence().toNanos()) {
                return "unreachable";
            } else if (node.status().leaving()) {
                return "leaving";
            } else if (drained) {
                return "draining";
            }
            return up.contains(node.id()) ? "up" : "joining";
        }

        @Override
        public List<PinTable> tables() {
            return new TreeMap<>(tables.get()).values().stream().toList();
        }

        @Override
        public List<DemandRow> demand() {
            return policy.demand(view.newest(), System.nanoTime());
        }

        @Override
        public PolicyRows plan() {
            return policy.plan(
                    view.newest(),
                    self.region(),
                    ClusterNode.this::table,
                    System.nanoTime(),
                    System.currentTimeMillis());
        }

        @Override
        public Optional<ActorRef<PlacementCommand>> placement(String region) {
            return regions().contains(region)
                    ? Optional.of(placements.computeIfAbsent(region, ClusterNode.this::placementOf))
                    : Optional.empty();
        }
    }

    /** A way to the placement of a region, which is a singleton there. */
    private ActorRef<PlacementCommand> placementOf(String region) {
        return ClusterSingleton.get(system)
                .init(SingletonActor.of(placementBehavior, "placement")
                        .withSettings(ClusterSingletonSettings.create(system).withDataCenter(region)));
    }

    /**
     * Starts a member and its edge, and joins. Returns once the edge takes requests; the models come later. On any failure
     * nothing is left running.
     *
     * @param meters get the edge's, which shows them
     */
    static ClusterNode start(NodeSettings settings, List<Loadable> loadables, Meters meters) {
        ActorSystem<Void> system = createSystem(settings);
        try {
            PinTable onDisk = new PinFile(settings.cluster().stateFile())
                    .read(settings.cluster().region());
            ClusterNode node = new ClusterNode(settings, loadables, meters, system, onDisk);
            node.join();
            node.startEdge();
            return node;
        } catch (IOException e) {
            terminate(system);
            throw new CommandFailed(String.valueOf(e.getMessage()), e);
        } catch (CompletionException e) {
            terminate(system);
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw new CommandFailed(String.valueOf(cause.getMessage()), cause);
        } catch (RuntimeException e) {
            terminate(system);
            throw e;
        }
    }

    private static ActorSystem<Void> createSystem(NodeSettings settings) {
        ClusterSettings self = settings.cluster();
        ActorSystemSetup setup = ActorSystemSetup.create(BootstrapSetup.create(settings.clusterRoot()));
        ClusterTlsSettings tls = self.tls();
        if (tls != null) {
            SSLEngineProvider engines = new ClusterTlsEngines(tls, self.host(), InstantSource.system());
            setup = setup.withSetup(SSLEngineProviderSetup.create(_ -> engines));
        }
        try {
            return ActorSystem.create(Behaviors.empty(), ClusterSettings.SYSTEM, setup);
        } catch (RuntimeException e) {
            throw new CommandFailed(
                    "the node cannot listen at " + self.bindHost() + ":" + self.bindPort() + ": " + e.getMessage(), e);
        }
    }

    private void join() {
        Cluster cluster = Cluster.get(system);
        if (self.seedNodes().isEmpty()) {
            cluster.manager().tell(Join.create(cluster.selfMember().address()));
        } else {
            cluster.manager()
                    .tell(new JoinSeedNodes(self.seedAddresses().stream()
                            .map(AddressFromURIString::parse)
                            .toList()));
        }
    }

    private void startEdge() {
        ReplicaChoice choice = new ReplicaChoice(
                self.region(),
                settings.placement().silence().toNanos(),
                settings.placement().rehomeAfter().toNanos());
        ClusterDirectory directory = new ClusterDirectory(
                self.node(),
                view::newest,
                choice,
                this::table,
                entrance,
                settings.residency(),
                members::streamKeeper,
                settings.placement(),
                new FirstTokenTimes(System::nanoTime),
                System::nanoTime);
        CompletionStage<HttpEdge> starting = self.isEdge()
                ? HttpEdge.start(system, settings.edge(), directory, meters, new Operators(), demand)
                : HttpEdge.startForOperators(system, settings.edge(), directory, meters, new Operators(), demand);
        HttpEdge started = starting.toCompletableFuture().join();
        edge = started;
        if (self.isEdge()) {
            system.systemActorOf(started.streamKeeper(), ClusterMembers.STREAM_KEEPER, Props.empty());
        }
    }

    String id() {
        return self.node();
    }

    String region() {
        return self.region();
    }

    List<ModelInfo> bundles() {
        return loadables.stream().map(Loadable::info).toList();
    }

    /** Where other nodes reach this one, {@code host:port}, with the port that was actually bound. */
    String address() {
        Address address = Cluster.get(system).selfMember().address();
        return address.getHost().orElseThrow() + ":" + address.getPort().orElseThrow();
    }

    Optional<InetSocketAddress> clientAddress() {
        return Optional.ofNullable(edge).flatMap(HttpEdge::clientAddress);
    }

    Optional<InetSocketAddress> adminAddress() {
        return Optional.ofNullable(edge).flatMap(HttpEdge::adminAddress);
    }

    /** Whether this node knows, for each of its bundles, of a replica in its region that takes requests; but for those that are
     * only loaded when they are asked for. */
    boolean servesAll() {
        ClusterView newest = view.newest();
        return bundles().stream()
                .filter(bundle ->
                        settings.placement().policy().rules(bundle.id()).minReplicas() > 0)
                .allMatch(bundle -> newest.candidates(bundle.id()).stream()
                        .anyMatch(candidate -> candidate.replica().state() == ReplicaState.READY
                                && candidate.replica().id().region().equals(self.region())));
    }

    /** A replica that this node could not load, or whose engine failed; empty where there is none. */
    Optional<ReplicaId> failed() {
        return held.statuses().stream()
                .filter(replica -> replica.state() == ReplicaState.FAILED)
                .map(ReplicaStatus::id)
                .findFirst();
    }

    /** Completes when the actor system has ended, by {@link #close} or because the cluster has taken the node out. */
    CompletableFuture<Done> ended() {
        return system.getWhenTerminated().toCompletableFuture();
    }

    /**
     * Leaves: says so, lets others take over what is pinned here, lets running streams end, unloads, leaves the cluster, stops.
     * Blocks; a second call does nothing.
     */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        leaving = true;
        awaitTakenOver(settings.stopGrace());
        stopEdge();
        stopModels();
        CoordinatedShutdown.get(system)
                .runAll(CoordinatedShutdown.clusterLeavingReason())
                .toCompletableFuture()
                .orTimeout(LEAVE_WITHIN.toMillis(), TimeUnit.MILLISECONDS)
                .exceptionally(failure -> {
                    LOG.warn("left the cluster without its knowing: {}", failure.toString());
                    return Done.getInstance();
                })
                .join();
        terminate(system);
    }

    /** Takes no more requests, and lets those that run end. Blocks. */
    void stopEdge() {
        HttpEdge http = edge;
        if (http != null) {
            http.stop(settings.stopDelay(), settings.stopGrace())
                    .toCompletableFuture()
                    .join();
        }
    }

    /** Unloads and stops without a word to the cluster, which ends with it. Blocks; a second call does nothing. */
    synchronized void abandon() {
        if (!closed) {
            closed = true;
            stopModels();
            terminate(system);
        }
    }

    /** While another node of the region can take a replica over, it loads it, and this one serves on. */
    private void awaitTakenOver(Duration atMost) {
        long deadline = System.nanoTime() + atMost.toNanos();
        while (members.regionNodes().size() > 1
                && ownTable().pins().stream().anyMatch(this::waitsForTakeOver)
                && System.nanoTime() < deadline) {
            LockSupport.parkNanos(POLL_NANOS);
        }
    }

    private boolean waitsForTakeOver(Pin pin) {
        boolean elsewhere = ownTable().pins().stream()
                .anyMatch(other -> !other.replica().equals(pin.replica())
                        && other.replica().model().equals(pin.replica().model())
                        && !other.node().equals(self.node()));
        return pin.node().equals(self.node()) && (pin.next() != null || !elsewhere);
    }

    private void stopModels() {
        Duration grace = settings.stopGrace();
        AskPattern.<NodeModels.Command, Done>ask(
                        models,
                        replyTo -> new NodeModels.Stop(grace, replyTo),
                        grace.plus(LEAVE_WITHIN),
                        system.scheduler())
                .exceptionally(failure -> {
                    LOG.warn("models did not stop in time: {}", failure.toString());
                    return Done.getInstance();
                })
                .toCompletableFuture()
                .join();
    }

    private static void terminate(ActorSystem<Void> system) {
        system.terminate();
        system.getWhenTerminated().toCompletableFuture().join();
    }
}

package dev.meridian.edge;

import dev.meridian.edge.access.Access;
import dev.meridian.edge.access.OriginCheck;
import dev.meridian.edge.admin.AdminApi;
import dev.meridian.edge.admin.AdminCluster;
import dev.meridian.edge.http.ConnectionStage;
import dev.meridian.edge.http.Connections;
import dev.meridian.edge.http.Cors;
import dev.meridian.edge.http.RequestIds;
import dev.meridian.edge.stream.DemandMeter;
import dev.meridian.edge.stream.EdgeMux;
import dev.meridian.edge.stream.JournalBudget;
import dev.meridian.edge.stream.RoutingJournal;
import dev.meridian.edge.stream.StreamMetrics;
import dev.meridian.protocol.message.ResumeMessage;
import java.net.InetSocketAddress;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.apache.pekko.Done;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.Cancellable;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.http.javadsl.ConnectionContext;
import org.apache.pekko.http.javadsl.Http;
import org.apache.pekko.http.javadsl.ServerBinding;
import org.apache.pekko.http.javadsl.ServerBuilder;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.stream.SystemMaterializer;
import org.apache.pekko.stream.javadsl.Flow;
import org.jspecify.annotations.Nullable;

/**
 * A running HTTP edge: the clients' port with OpenAI's API, where it is one for clients, and, unless it is off, the operators' port
 * with health and metrics. Thread-safe.
 *
 * <p>It owns one mux actor and its listening sockets; {@link #stop} gives all of them back, the actor system stays.
 */
public final class HttpEdge {
    /** How much longer than its deadline a connection may take to hand a reply to a slow client. */
    private static final Duration AFTER_DEADLINE = Duration.ofMinutes(1);

    /** When all streams are over, and so is the time for stopping, this covers the last bytes of replies. */
    private static final Duration CLOSE_CONNECTIONS_WITHIN = Duration.ofSeconds(1);

    /** Where nobody looks at the demand. */
    private static final Duration DEMAND_HALF_LIFE = Duration.ofMinutes(1);

    private final ActorSystem<?> system;
    private final ActorRef<EdgeMux.Command> mux;
    private final Lifecycle lifecycle;
    private final Optional<Port> client;
    private final Optional<Port> admin;
    private final Cancellable refreshes;
    private final ResumableStreams resumables;

    /** A listening socket and the connections that came by it. */
    private record Port(ServerBinding binding, Connections connections) {
        CompletionStage<Done> close(Duration atMost) {
            return connections
                    .closeAll(atMost)
                    .thenCompose(_ -> binding.terminate(CLOSE_CONNECTIONS_WITHIN))
                    .thenApply(_ -> Done.getInstance());
        }
    }

    private HttpEdge(
            ActorSystem<?> system,
            ActorRef<EdgeMux.Command> mux,
            Lifecycle lifecycle,
            Optional<Port> client,
            Optional<Port> admin,
            Cancellable refreshes,
            ResumableStreams resumables) {
        this.system = system;
        this.mux = mux;
        this.lifecycle = lifecycle;
        this.client = client;
        this.admin = admin;
        this.refreshes = refreshes;
        this.resumables = resumables;
    }

    /**
     * Reads keys and certificate as {@link #start} does, so that a fault is known before models are loaded.
     *
     * @throws dev.meridian.edge.access.AccessException where a port would be open to strangers, or a file is wrong
     */
    public static void check(EdgeSettings settings) {
        access(settings, InstantSource.system());
    }

    private static Access access(EdgeSettings settings, InstantSource clock) {
        return Access.open(settings.access(), settings.clientHost(), settings.adminHost(), clock);
    }

    /**
     * Starts listening. The stage fails with {@link BindException} when a port is taken; nothing is left behind then.
     * Throws {@link dev.meridian.edge.access.AccessException} where {@link #check} would.
     *
     * @param meters gets the edge's, and is what {@code /metrics} shows
     * @param cluster what {@code /admin/v1} shows and changes; null where the node is in none
     */
    public static CompletionStage<HttpEdge> start(
            ActorSystem<?> system,
            EdgeSettings settings,
            ModelDirectory directory,
            Meters meters,
            @Nullable AdminCluster cluster) {
        return start(
                system,
                settings,
                directory,
                meters,
                cluster,
                new DemandMeter(DEMAND_HALF_LIFE, DEMAND_HALF_LIFE, System::nanoTime));
    }

    /** As the other one; what is asked is counted in {@code demand}. */
    public static CompletionStage<HttpEdge> start(
            ActorSystem<?> system,
            EdgeSettings settings,
            ModelDirectory directory,
            Meters meters,
            @Nullable AdminCluster cluster,
            DemandMeter demand) {
        return start(
                system, settings, directory, meters, cluster, demand, true, new SecureRandom(), InstantSource.system());
    }

    /** Of a node that serves no clients: the operators' port alone. */
    public static CompletionStage<HttpEdge> startForOperators(
            ActorSystem<?> system,
            EdgeSettings settings,
            ModelDirectory directory,
            Meters meters,
            AdminCluster cluster,
            DemandMeter demand) {
        return start(
                system,
                settings,
                directory,
                meters,
                cluster,
                demand,
                false,
                new SecureRandom(),
                InstantSource.system());
    }

    static CompletionStage<HttpEdge> start(
            ActorSystem<?> system,
            EdgeSettings settings,
            ModelDirectory directory,
            Meters meters,
            @Nullable AdminCluster cluster,
            DemandMeter demand,
            boolean forClients,
            RandomGenerator random,
            InstantSource clock) {
        Access access = access(settings, clock);
        JournalBudget journals = new JournalBudget(settings.streams().maxJournalBytes());
        RoutingJournal routes = new RoutingJournal(directory.region(), clock);
        StreamMetrics metrics = new StreamMetrics(meters.registry(), journals, demand, routes);
        ActorRef<EdgeMux.Command> mux = system.systemActorOf(
                EdgeMux.create(settings.streams(), directory, journals, metrics, System::nanoTime),
                "edge-mux-" + UUID.randomUUID(),
                Props.empty());
        ResumableStreams resumables =
                new ResumableStreams(settings.resumeLimit(), settings.streams().maxStreams(), mux);
        RequestIds ids = new RequestIds(random);
        Lifecycle lifecycle = new Lifecycle();
        ClientRoutes client = new ClientRoutes(
                access.clientGate(settings.clientHost()),
                directory.region(),
                new Completions(
                        system,
                        settings,
                        directory,
                        access.limiter(),
                        mux,
                        journals,
                        metrics,
                        lifecycle,
                        resumables,
                        random,
                        clock),
                new Models(directory),
                new Cors(new OriginCheck(settings.access().corsOrigins())),
                ids,
                metrics);
        AdminRoutes admin = new AdminRoutes(
                access.adminGate(settings.adminHost()),
                new Readiness(system, settings, directory, mux, metrics, ids, clock),
                lifecycle,
                meters,
                settings,
                SystemMaterializer.get(system).materializer(),
                cluster == null ? null : new AdminApi(system, cluster, routes));
        CompletionStage<Optional<Port>> bound = forClients
                ? bind(system, settings, access, settings.clientHost(), settings.clientPort(), client)
                        .thenApply(Optional::of)
                : CompletableFuture.completedFuture(Optional.empty());
        return bound.thenCompose(clientPort -> bindAdmin(system, settings, access, admin)
                        .handle((adminPort, failure) -> failure == null
                                ? CompletableFuture.completedFuture(new HttpEdge(
                                        system,
                                        mux,
                                        lifecycle,
                                        clientPort,
                                        adminPort,
                                        refresh(system, settings, access, resumables),
                                        resumables))
                                : unbind(clientPort)
                                        .<HttpEdge>thenCompose(_ -> CompletableFuture.failedFuture(failure)))
                        .thenCompose(stage -> stage))
                .whenComplete((_, failure) -> {
                    if (failure != null) {
                        mux.tell(new EdgeMux.Drain(Duration.ZERO, system.ignoreRef()));
                    }
                });
    }

    private static CompletionStage<Done> unbind(Optional<Port> port) {
        return port.map(one -> one.binding().unbind()).orElse(CompletableFuture.completedFuture(Done.getInstance()));
    }

    private static CompletionStage<Done> close(Optional<Port> port, Duration atMost) {
        return port.map(one -> one.close(atMost)).orElse(CompletableFuture.completedFuture(Done.getInstance()));
    }

    private static CompletionStage<Optional<Port>> bindAdmin(
            ActorSystem<?> system, EdgeSettings settings, Access access, AdminRoutes admin) {
        return settings.adminPort().isEmpty()
                ? CompletableFuture.completedFuture(Optional.empty())
                : bind(
                                system,
                                settings,
                                access,
                                settings.adminHost(),
                                settings.adminPort().getAsInt(),
                                admin)
                        .thenApply(Optional::of);
    }

    private static CompletionStage<Port> bind(
            ActorSystem<?> system,
            EdgeSettings settings,
            Access access,
            String host,
            int port,
            ConnectionStage.Handler handler) {
        Connections connections = new Connections();
        Flow<HttpRequest, HttpResponse, NotUsed> flow = Flow.fromGraph(new ConnectionStage(
                handler,
                connections,
                settings.idleTimeout(),
                settings.requestDeadline().plus(AFTER_DEADLINE)));
        ServerBuilder server =
                Http.get(system).newServerAt(host, port).withSettings(HttpServerSettings.of(system, settings));
        return access.tls()
                .map(tls -> server.enableHttps(ConnectionContext.httpsServer(tls::newEngine)))
                .orElse(server)
                .bindFlow(flow)
                .thenApply(binding -> new Port(binding, connections))
                .exceptionallyCompose(
                        failure -> CompletableFuture.failedFuture(new BindException(host, port, failure)));
    }

    private static Cancellable refresh(
            ActorSystem<?> system, EdgeSettings settings, Access access, ResumableStreams resumables) {
        Duration interval = settings.access().reloadInterval();
        return system.scheduler()
                .scheduleWithFixedDelay(
                        interval,
                        interval,
                        () -> {
                            access.refresh();
                            resumables.sweep();
                        },
                        system.dispatchers().lookup(DispatcherSelector.blocking()));
    }

    /** Where clients connect, with the port that was actually bound; empty where it serves none. */
    public Optional<InetSocketAddress> clientAddress() {
        return client.map(port -> port.binding().localAddress());
    }

    /** What other edges ask for streams that this one keeps; to be spawned where they look for it. */
    public Behavior<ResumeMessage> streamKeeper() {
        return resumables.keeper();
    }

    /** Where operators connect; empty where they have no port here. */
    public Optional<InetSocketAddress> adminAddress() {
        return admin.map(port -> port.binding().localAddress());
    }

    /**
     * Says at once by its readiness that it is stopping and goes on serving for {@code delay}; then refuses new
     * requests, lets running ones end and their clients read for {@code grace} together, ends the rest with an error,
     * and closes. The admin port closes last.
     */
    public CompletionStage<Done> stop(Duration delay, Duration grace) {
        lifecycle.leave();
        client.ifPresent(port -> port.connections().leave());
        return delay.isPositive()
                ? CompletableFuture.supplyAsync(
                                Done::getInstance,
                                CompletableFuture.delayedExecutor(delay.toMillis(), TimeUnit.MILLISECONDS))
                        .thenCompose(_ -> drain(grace))
                : drain(grace);
    }

    private CompletionStage<Done> drain(Duration grace) {
        lifecycle.refuse();
        refreshes.cancel();
        Duration atLeast = grace.isPositive() ? grace : Duration.ofMillis(1);
        long deadline = System.nanoTime() + atLeast.toNanos();
        return AskPattern.<EdgeMux.Command, Done>ask(
                        mux, replyTo -> new EdgeMux.Drain(atLeast, replyTo), atLeast.plusSeconds(5), system.scheduler())
                .handle((_, _) -> Done.getInstance())
                // Until here the port takes connections, so that whoever comes hears why it is refused.
                .thenCompose(_ -> unbind(client))
                .thenCompose(_ -> close(client, untilClosed(Duration.ofNanos(deadline - System.nanoTime()))))
                .thenCompose(_ -> close(admin, CLOSE_CONNECTIONS_WITHIN));
    }

    private static Duration untilClosed(Duration left) {
        return left.compareTo(CLOSE_CONNECTIONS_WITHIN) > 0 ? left : CLOSE_CONNECTIONS_WITHIN;
    }
}

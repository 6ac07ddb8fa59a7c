package dev.meridian.edge;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.meridian.edge.admin.AdminCluster;
import dev.meridian.edge.admin.DemandRow;
import dev.meridian.edge.admin.NodeRow;
import dev.meridian.edge.admin.PolicyRows;
import dev.meridian.edge.stream.DemandMeter;
import dev.meridian.edge.stream.Destination;
import dev.meridian.edge.stream.Replicas;
import dev.meridian.protocol.cluster.PinTable;
import dev.meridian.protocol.cluster.PlacementCommand;
import dev.meridian.protocol.cluster.Residency;
import dev.meridian.protocol.message.ReplicaCommand;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.pekko.Done;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/** An edge on free loopback ports with fixed ids and clock, and a directory that a test can change. */
final class EdgeFixture implements AutoCloseable {
    static final String CHAT = "/v1/chat/completions";
    static final String TEXT = "/v1/completions";
    static final long NOW = 1_700_000_000L;
    /** Scripted replicas send no heartbeats. */
    private static final String PATIENT =
            "meridian.edge { client-port = 0, admin-port = 0, heartbeat-silence = 5m, accept-timeout = 10s }";

    final ActorTestKit kit = ActorTestKit.create();
    final Map<String, ServedModel> models = new ConcurrentHashMap<>();
    final Map<String, ActorRef<ReplicaCommand>> replicas = new ConcurrentHashMap<>();
    final AtomicLong nowMillis = new AtomicLong(NOW * 1000);
    final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    final HttpEdge edge;
    private boolean stopped;

    EdgeFixture(String overrides) {
        this(overrides, Instant.ofEpochSecond(NOW));
    }

    /** With a clock that shows {@code now}, for what depends on the world's. */
    EdgeFixture(String overrides, Instant now) {
        nowMillis.set(now.toEpochMilli());
        edge = start(overrides);
    }

    EdgeSettings settings(String overrides) {
        Config config = ConfigFactory.parseString(overrides)
                .withFallback(ConfigFactory.parseString(PATIENT))
                .withFallback(ConfigFactory.defaultReference())
                .resolve();
        return EdgeSettings.of(config);
    }

    private HttpEdge start(String overrides) {
        return await(HttpEdge.start(
                kit.system(),
                settings(overrides),
                directory(),
                Meters.of(registry),
                new TablesOnly(),
                new DemandMeter(Duration.ofMinutes(1), Duration.ofMinutes(1), System::nanoTime),
                true,
                new Random(1),
                () -> Instant.ofEpochMilli(nowMillis.get())));
    }

    /** What must answer for the edge to be ready; null for each model by whichever replica. */
    @Nullable
    volatile List<ModelDirectory.Duty> duties;

    /** What is to come of models without a replica. */
    volatile Replicas.@Nullable Coming coming;

    volatile boolean loadsOnDemand;

    /** What was decided. */
    volatile List<PinTable> tables = List.of();

    /** Where all of them stand. */
    volatile String regionOfReplicas = "eu";

    ModelDirectory directory() {
        return new ModelDirectory() {
            @Override
            public List<ServedModel> models() {
                return List.copyOf(models.values());
            }

            @Override
            public Optional<ServedModel> find(String id) {
                return Optional.ofNullable(models.get(id));
            }

            @Override
            public boolean loadsOnDemand() {
                return loadsOnDemand;
            }

            @Override
            public List<Duty> duties() {
                List<Duty> placed = duties;
                return placed == null ? ModelDirectory.super.duties() : placed;
            }

            @Override
            public String region() {
                return "eu";
            }

            @Override
            public String node() {
                return "node-1";
            }

            @Override
            public Optional<Destination> replica(
                    String model, Residency residency, @Nullable ActorRef<ReplicaCommand> but) {
                return Optional.ofNullable(replicas.get(model))
                        .filter(_ -> models.containsKey(model) && residency.allows(regionOfReplicas))
                        .map(host -> new Destination(host, regionOfReplicas, "node-1", "replica-of-" + model));
            }

            @Override
            public Optional<Coming> coming(String model, Residency residency) {
                return Optional.ofNullable(coming);
            }

            @Override
            public Optional<Destination> destination(ActorRef<ReplicaCommand> host) {
                return Optional.empty();
            }
        };
    }

    ActorRef<ReplicaCommand> serve(String model, ScriptedReplica replica) {
        ActorRef<ReplicaCommand> ref = kit.spawn(replica.behavior());
        replicas.put(model, ref);
        models.put(model, new ServedModel(model, 512, 1000, NOW - 1000, Residency.ANYWHERE));
        return ref;
    }

    static <T> T await(CompletionStage<T> stage) {
        try {
            return stage.toCompletableFuture().get(20, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    URI uri(String path) {
        return URI.create(
                "http://127.0.0.1:" + edge.clientAddress().orElseThrow().getPort() + path);
    }

    URI adminUri(String path) {
        return URI.create(
                "http://127.0.0.1:" + edge.adminAddress().orElseThrow().getPort() + path);
    }

    HttpResponse<String> post(String path, String body, String... headers) {
        HttpRequest.Builder request = HttpRequest.newBuilder(uri(path))
                .timeout(Duration.ofSeconds(20))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body));
        return send(
                headers.length == 0 ? request.build() : request.headers(headers).build());
    }

    HttpResponse<String> get(URI uri, String... headers) {
        HttpRequest.Builder request = HttpRequest.newBuilder(uri).timeout(Duration.ofSeconds(20));
        return send(
                headers.length == 0 ? request.build() : request.headers(headers).build());
    }

    HttpResponse<String> send(HttpRequest request) {
        try {
            return client.send(request, HttpResponse.BodyHandlers.ofString());
        } catch (IOException e) {
            throw new AssertionError(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    CompletionStage<Done> stop(Duration grace) {
        return stop(Duration.ZERO, grace);
    }

    CompletionStage<Done> stop(Duration delay, Duration grace) {
        stopped = true;
        return edge.stop(delay, grace);
    }

    @Override
    public void close() {
        if (!stopped) {
            await(stop(Duration.ofMillis(100)));
        }
        client.close();
        kit.shutdownTestKit();
    }

    /** Nobody is there but what was decided. */
    private final class TablesOnly implements AdminCluster {
        @Override
        public boolean joined() {
            return true;
        }

        @Override
        public List<NodeRow> nodes() {
            return List.of();
        }

        @Override
        public List<PinTable> tables() {
            return tables;
        }

        @Override
        public List<DemandRow> demand() {
            return List.of();
        }

        @Override
        public PolicyRows plan() {
            return new PolicyRows("spread", List.of());
        }

        @Override
        public Optional<ActorRef<PlacementCommand>> placement(String region) {
            return Optional.empty();
        }
    }
}

package dev.meridian.edge.admin;

import dev.meridian.edge.stream.RoutingJournal;
import dev.meridian.protocol.cluster.Change;
import dev.meridian.protocol.cluster.Pin;
import dev.meridian.protocol.cluster.ReplicaId;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.ActorSystem;
import org.jspecify.annotations.Nullable;

/** {@code /admin/v1}: what there is, and changes. Thread-safe. */
public final class AdminApi {
    private final AdminCluster cluster;
    private final Changes changes;
    private final RoutingJournal routes;

    /** @param routes of this node's edge */
    public AdminApi(ActorSystem<?> system, AdminCluster cluster, RoutingJournal routes) {
        this.cluster = cluster;
        this.routes = routes;
        changes = new Changes(system, cluster);
    }

    /** Whether this node belongs to the cluster by now. */
    public boolean joined() {
        return cluster.joined();
    }

    /** UTF-8 bytes of JSON, like all of these. */
    public byte[] nodes() {
        return ClusterJson.nodes(cluster.nodes());
    }

    public byte[] replicas() {
        return ClusterJson.replicas(cluster.nodes(), cluster.tables());
    }

    public byte[] models() {
        return ClusterJson.models(cluster.nodes(), cluster.tables());
    }

    public byte[] demand() {
        return PolicyJson.demand(cluster.demand());
    }

    public byte[] plan() {
        return PolicyJson.plan(cluster.plan());
    }

    public byte[] changes() {
        return ClusterJson.changes(cluster.tables());
    }

    /** All that are kept, the newest last. */
    public byte[] events() {
        return EventJson.list(new EventFeed().next(cluster.tables()));
    }

    /**
     * Events as they come: each call gives those that have come since the one before, as server-sent events; empty where there
     * are none. For one reader.
     *
     * @param after the name of the event that the reader had last
     * @throws dev.meridian.edge.openai.ApiException where that can be none
     */
    public Supplier<String> follow(Optional<String> after) {
        EventFeed feed = after.map(EventFeed::new).orElseGet(EventFeed::new);
        return () -> EventJson.stream(feed.next(cluster.tables()));
    }

    /** Why a replica or a model is where it is, or where a request went; empty where nothing is known of it. */
    public Optional<byte[]> why(String id) {
        return routes.find(id).map(EventJson::why).or(() -> {
            List<Pin> pins = cluster.tables().stream()
                    .flatMap(table -> table.pins().stream())
                    .filter(pin -> isAbout(id, pin.replica().model(), pin.replica()))
                    .toList();
            List<EventFeed.Item> events = new EventFeed()
                    .next(cluster.tables()).stream()
                            .filter(item -> isAbout(
                                    id, item.event().model(), item.event().replica()))
                            .toList();
            return pins.isEmpty() && events.isEmpty() ? Optional.empty() : Optional.of(EventJson.why(id, pins, events));
        });
    }

    private static boolean isAbout(String id, String model, @Nullable ReplicaId replica) {
        return id.equals(model) || (replica != null && id.equals(replica.toString()));
    }

    public Optional<byte[]> change(String id) {
        return changes.find(id).map(ClusterJson::change);
    }

    /** What a change may be asked of. */
    public enum Subject {
        REPLICA,
        NODE,
        MODEL,
        CHANGE
    }

    /** An answer to a change: 200 where it is over or was only planned, else 202. */
    public record Answer(int status, String json) {}

    /**
     * Asks for a change.
     *
     * @param of what the path named
     * @param rest of the path, {@code subject:verb}
     * @param by who asks
     * @return fails with an {@link dev.meridian.edge.openai.ApiException}, as the call may itself
     */
    public CompletionStage<Answer> change(
            Subject of, String rest, byte[] body, Optional<String> wait, Optional<String> idempotencyKey, String by) {
        ChangeRequest request = ChangeRequest.read(of, rest, body, wait, idempotencyKey);
        return changes.ask(request, by)
                .thenApply(change ->
                        new Answer(status(change), new String(ClusterJson.change(change), StandardCharsets.UTF_8)));
    }

    private static int status(Change change) {
        return change.state() == Change.State.PLANNED || change.state().isOver() ? 200 : 202;
    }
}

package dev.meridian.edge.admin;

import dev.meridian.protocol.cluster.Change;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.ActorSystem;

/** {@code /admin/v1}: what there is, and changes. Thread-safe. */
public final class AdminApi {
    private final AdminCluster cluster;
    private final Changes changes;

    public AdminApi(ActorSystem<?> system, AdminCluster cluster) {
        this.cluster = cluster;
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

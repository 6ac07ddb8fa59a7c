package dev.meridian.edge.admin;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.meridian.edge.openai.Json;
import dev.meridian.protocol.cluster.Change;
import dev.meridian.protocol.cluster.ModelInfo;
import dev.meridian.protocol.cluster.ModelPlacement;
import dev.meridian.protocol.cluster.NodeMessage.NodeStatus;
import dev.meridian.protocol.cluster.Pin;
import dev.meridian.protocol.cluster.PinTable;
import dev.meridian.protocol.cluster.ReplicaState;
import dev.meridian.protocol.cluster.ReplicaStatus;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What there is in the cluster, as JSON: lists are {@code {"items": [...]}}. */
final class ClusterJson {
    private static final double MICROS_PER_MILLI = 1000;

    private ClusterJson() {}

    /** The fields of one object. */
    interface Item<T> {
        void write(JsonGenerator json, T item) throws IOException;
    }

    static <T> byte[] list(List<T> items, Item<T> each) {
        return Json.write(json -> {
            json.writeStartObject();
            items(json, items, each);
            json.writeEndObject();
        });
    }

    static <T> void items(JsonGenerator json, List<T> items, Item<T> each) throws IOException {
        array(json, "items", items, each);
    }

    static <T> void array(JsonGenerator json, String field, List<T> items, Item<T> each) throws IOException {
        json.writeArrayFieldStart(field);
        for (T item : items) {
            json.writeStartObject();
            each.write(json, item);
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    static byte[] nodes(List<NodeRow> nodes) {
        return list(nodes, (json, node) -> {
            NodeStatus status = node.status();
            json.writeStringField("id", status.node());
            json.writeStringField("region", status.region());
            json.writeStringField("status", node.condition());
            json.writeArrayFieldStart("roles");
            for (String role : status.roles()) {
                json.writeString(role);
            }
            json.writeEndArray();
            json.writeObjectFieldStart("memory");
            json.writeNumberField("budgetBytes", status.budgetBytes());
            json.writeNumberField("reservedBytes", status.reservedBytes());
            json.writeEndObject();
            if (node.rttMicros() < 0) {
                json.writeNullField("rttMillis");
            } else {
                json.writeNumberField("rttMillis", node.rttMicros() / MICROS_PER_MILLI);
            }
        });
    }

    /**
     * A replica on one node.
     *
     * @param moveTo the node that loads it to take it over
     */
    private record Row(
            Pin pin,
            String node,
            @Nullable ReplicaStatus status,
            ReplicaState state,
            @Nullable String moveTo) {}

    /** Each replica where it is pinned, and a moved one also where it still drains. */
    static byte[] replicas(List<NodeRow> nodes, List<PinTable> tables) {
        Map<String, NodeRow> byId = new TreeMap<>();
        nodes.forEach(node -> byId.put(node.status().node(), node));
        List<Row> rows = new ArrayList<>();
        for (PinTable table : tables) {
            for (Pin pin : table.pins()) {
                Optional<ReplicaStatus> here = held(byId.get(pin.node()), pin);
                boolean heard = byId.containsKey(pin.node())
                        && !byId.get(pin.node()).condition().equals("unreachable");
                ReplicaState state = !heard
                        ? ReplicaState.FAILED
                        : here.map(ReplicaStatus::state).orElse(ReplicaState.LOADING);
                rows.add(new Row(
                        pin,
                        pin.node(),
                        here.orElse(null),
                        state == ReplicaState.STANDBY ? ReplicaState.READY : state,
                        pin.next()));
                for (NodeRow node : nodes) {
                    String id = node.status().node();
                    held(node, pin)
                            .filter(status -> status.state() == ReplicaState.DRAINING && !id.equals(pin.node()))
                            .ifPresent(status -> rows.add(new Row(pin, id, status, ReplicaState.DRAINING, null)));
                }
            }
        }
        rows.sort(Comparator.comparing((Row row) -> row.pin().replica()).thenComparing(Row::node));
        return list(rows, ClusterJson::replica);
    }

    private static Optional<ReplicaStatus> held(@Nullable NodeRow node, Pin pin) {
        return node == null
                ? Optional.empty()
                : node.status().replicas().stream()
                        .filter(replica -> replica.id().equals(pin.replica()))
                        .findFirst();
    }

    private static void replica(JsonGenerator json, Row row) throws IOException {
        ReplicaStatus status = row.status();
        json.writeStringField("id", row.pin().replica().toString());
        json.writeStringField("model", row.pin().replica().model());
        json.writeStringField("digest", row.pin().replica().digest());
        json.writeStringField("region", row.pin().replica().region());
        json.writeStringField("node", row.node());
        json.writeStringField("state", row.state().wireName());
        json.writeNumberField("queueDepth", status == null ? 0 : status.queueDepth());
        json.writeNumberField("runningSequences", status == null ? 0 : status.runningSequences());
        json.writeNumberField("tokensPerSecond", status == null ? 0 : Math.round(status.tokensPerSecond() * 10) / 10.0);
        json.writeNumberField("generation", row.pin().generation());
        json.writeStringField("movesTo", row.moveTo());
    }

    static byte[] models(List<NodeRow> nodes, List<PinTable> tables) {
        Map<String, ModelInfo> models = new TreeMap<>();
        for (NodeRow node : nodes) {
            node.status().bundles().forEach(bundle -> models.put(bundle.id() + " " + bundle.digest(), bundle));
        }
        return list(List.copyOf(models.values()), (json, model) -> {
            json.writeStringField("id", model.id());
            json.writeStringField("digest", model.digest());
            json.writeStringField("weights", model.weights());
            json.writeNumberField("contextTokens", model.contextTokens());
            json.writeNumberField("reservedBytes", model.neededBytes());
            json.writeArrayFieldStart("nodes");
            for (NodeRow node : nodes) {
                if (node.status().bundles().contains(model)) {
                    json.writeString(node.status().node());
                }
            }
            json.writeEndArray();
            json.writeArrayFieldStart("replicas");
            for (PinTable table : tables) {
                for (Pin pin : table.pins()) {
                    if (pin.replica().model().equals(model.id())
                            && pin.replica().digest().equals(model.digest())) {
                        json.writeString(pin.replica().toString());
                    }
                }
            }
            json.writeEndArray();
        });
    }

    /** The newest first. */
    static byte[] changes(List<PinTable> tables) {
        List<Change> all = tables.stream()
                .flatMap(table -> table.changes().stream())
                .sorted(Comparator.comparingLong(Change::startedEpochMillis).reversed())
                .toList();
        return list(all, ClusterJson::fields);
    }

    static byte[] change(Change change) {
        return Json.write(json -> {
            json.writeStartObject();
            fields(json, change);
            json.writeEndObject();
        });
    }

    private static void fields(JsonGenerator json, Change change) throws IOException {
        json.writeStringField("id", change.id());
        json.writeStringField("verb", change.verb().wireName());
        json.writeStringField("by", change.by());
        json.writeStringField(
                "replica", change.replica() == null ? null : change.replica().toString());
        json.writeStringField("from", change.from().isEmpty() ? null : change.from());
        json.writeStringField("to", change.to());
        json.writeStringField("model", change.effect().model());
        placement(json, "wanted", change.effect().wanted());
        placement(json, "before", change.effect().before());
        json.writeStringField(
                "undoes",
                change.effect().undoes() == null
                        ? null
                        : change.effect().undoes().id());
        json.writeNumberField("bytesToLoad", change.effect().bytesToLoad());
        if (change.effect().estimateMillis() < 0) {
            json.writeNullField("estimateMillis");
        } else {
            json.writeNumberField("estimateMillis", change.effect().estimateMillis());
        }
        json.writeArrayFieldStart("plan");
        for (String step : change.plan()) {
            json.writeString(step);
        }
        json.writeEndArray();
        json.writeStringField("state", change.state().wireName());
        json.writeStringField("progress", change.progress());
        json.writeNumberField("generation", change.generation());
        json.writeStringField(
                "startedAt", Instant.ofEpochMilli(change.startedEpochMillis()).toString());
        json.writeStringField(
                "changedAt", Instant.ofEpochMilli(change.changedEpochMillis()).toString());
    }

    private static void placement(JsonGenerator json, String field, @Nullable ModelPlacement placement)
            throws IOException {
        if (placement == null) {
            json.writeNullField(field);
            return;
        }
        json.writeObjectFieldStart(field);
        json.writeNumberField("replicas", placement.replicas());
        json.writeArrayFieldStart("nodes");
        for (String node : placement.nodes()) {
            json.writeString(node);
        }
        json.writeEndArray();
        json.writeEndObject();
    }
}

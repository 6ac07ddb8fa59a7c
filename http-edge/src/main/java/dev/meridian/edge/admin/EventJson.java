package dev.meridian.edge.admin;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.meridian.edge.admin.EventFeed.Item;
import dev.meridian.edge.openai.Json;
import dev.meridian.edge.stream.RoutingJournal.Decision;
import dev.meridian.edge.stream.RoutingJournal.Routing;
import dev.meridian.protocol.cluster.Pin;
import dev.meridian.protocol.cluster.PlacementEvent;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;

/** What was decided and why, as JSON and as server-sent events. */
final class EventJson {
    private EventJson() {}

    static byte[] list(List<Item> items) {
        return ClusterJson.list(items, EventJson::fields);
    }

    /** One server-sent event for each. */
    static String stream(List<Item> items) {
        StringBuilder text = new StringBuilder();
        for (Item item : items) {
            byte[] data = Json.write(json -> {
                json.writeStartObject();
                fields(json, item);
                json.writeEndObject();
            });
            text.append("id: ").append(item.name()).append('\n');
            text.append("data: ")
                    .append(new String(data, StandardCharsets.UTF_8))
                    .append("\n\n");
        }
        return text.toString();
    }

    private static void fields(JsonGenerator json, Item item) throws IOException {
        PlacementEvent event = item.event();
        json.writeStringField("id", item.id());
        json.writeStringField("region", item.region());
        json.writeStringField("at", Instant.ofEpochMilli(event.atEpochMillis()).toString());
        json.writeStringField("kind", event.kind().wireName());
        json.writeStringField("by", event.by());
        json.writeStringField("model", event.model().isEmpty() ? null : event.model());
        json.writeStringField(
                "replica", event.replica() == null ? null : event.replica().toString());
        json.writeStringField("from", event.from());
        json.writeStringField("node", event.node());
        json.writeStringField("reason", event.reason());
    }

    /** Where a replica, or all of a model, is now, and how it came there. */
    static byte[] why(String subject, List<Pin> pins, List<Item> events) {
        return Json.write(json -> {
            json.writeStartObject();
            json.writeStringField("id", subject);
            ClusterJson.array(json, "replicas", pins, (out, pin) -> {
                out.writeStringField("id", pin.replica().toString());
                out.writeStringField("region", pin.replica().region());
                out.writeStringField("node", pin.node());
                out.writeStringField("movesTo", pin.next());
                out.writeNumberField("generation", pin.generation());
            });
            ClusterJson.array(json, "events", events, EventJson::fields);
            json.writeEndObject();
        });
    }

    /** Where a request went. */
    static byte[] why(Routing routing) {
        return Json.write(json -> {
            json.writeStartObject();
            json.writeStringField("id", routing.request());
            json.writeStringField("model", routing.model());
            json.writeStringField("residency", routing.residency().toString());
            ClusterJson.array(json, "attempts", routing.decisions(), EventJson::attempt);
            json.writeEndObject();
        });
    }

    private static void attempt(JsonGenerator json, Decision decision) throws IOException {
        json.writeStringField(
                "at", Instant.ofEpochMilli(decision.atEpochMillis()).toString());
        json.writeNumberField("attempt", decision.attempt());
        json.writeStringField("servedBy", decision.servedBy().isEmpty() ? null : decision.servedBy());
        json.writeStringField("why", decision.why());
    }
}

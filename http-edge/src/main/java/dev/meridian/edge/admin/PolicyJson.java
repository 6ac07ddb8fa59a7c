package dev.meridian.edge.admin;

import dev.meridian.edge.openai.Json;
import dev.meridian.protocol.cluster.ModelDemand;
import java.util.List;

/** What is asked of models, and what the policy makes of it, as JSON. */
final class PolicyJson {
    private static final double SECONDS_PER_MINUTE = 60;
    private static final double HUNDRED = 100;

    private PolicyJson() {}

    static byte[] demand(List<DemandRow> rows) {
        return ClusterJson.list(rows, (json, row) -> {
            ModelDemand demand = row.demand();
            json.writeStringField("region", row.region());
            json.writeStringField("model", demand.model());
            json.writeNumberField("requestsPerMinute", rounded(demand.requestsPerSecond() * SECONDS_PER_MINUTE));
            json.writeNumberField("tokensPerSecond", rounded(demand.tokensPerSecond()));
            json.writeNumberField("streams", rounded(demand.streams()));
            json.writeNumberField("waiting", demand.waiting());
            json.writeNumberField("waitingMillis", demand.waitingMillis());
            if (demand.idleMillis() == Long.MAX_VALUE) {
                json.writeNullField("idleMillis");
            } else {
                json.writeNumberField("idleMillis", demand.idleMillis());
            }
        });
    }

    private static double rounded(double value) {
        return Math.round(value * HUNDRED) / HUNDRED;
    }

    static byte[] plan(PolicyRows plan) {
        return Json.write(json -> {
            json.writeStartObject();
            json.writeStringField("policy", plan.policy());
            ClusterJson.items(json, plan.rows(), (out, row) -> {
                out.writeStringField("region", row.region());
                out.writeStringField("model", row.model());
                out.writeNumberField("held", row.held());
                out.writeNumberField("replicas", row.replicas());
                out.writeNumberField("wished", row.wished());
                out.writeBooleanField("change", row.held() != row.replicas());
                out.writeStringField("reason", row.reason());
            });
            json.writeEndObject();
        });
    }
}

package dev.meridian.edge.admin;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.meridian.edge.openai.ApiError;
import dev.meridian.edge.openai.ApiException;
import dev.meridian.edge.openai.Fields;
import dev.meridian.edge.openai.Json;
import dev.meridian.protocol.cluster.ModelPlacement;
import dev.meridian.protocol.cluster.ReplicaId;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What an operator asks, read and checked.
 *
 * @param subject the replica of a move, the node of a drain or an undrain, the model that is placed or not, the change to undo
 * @param to the target of a move, empty of others
 * @param region where a model is placed or not, empty of others
 * @param replicas of a model that is placed, 0 of others
 * @param nodes that alone may hold it; empty where any may
 * @param force whether a model may be unplaced that nobody else serves
 * @param generation of the pin that the asker has seen; 0 for any
 * @param idempotencyKey null where there is none
 * @param waitAtMost how long the answer may wait until the change is over
 */
record ChangeRequest(
        Verb verb,
        String subject,
        String to,
        String region,
        int replicas,
        List<String> nodes,
        boolean force,
        boolean dryRun,
        long generation,
        @Nullable String idempotencyKey,
        Duration waitAtMost) {
    ChangeRequest {
        nodes = List.copyOf(nodes);
    }

    enum Verb {
        MOVE,
        DRAIN,
        UNDRAIN,
        PLACE,
        UNPLACE,
        UNDO
    }

    /** A placement names no more of them. */
    private static final int MAX_NODES = 256;

    private static final Pattern SUBJECT = Pattern.compile("([A-Za-z0-9._~-]{1,200}):([a-z]{1,16})");
    private static final Pattern KEY = Pattern.compile("[\\x21-\\x7e]{1,128}");
    private static final Pattern WAIT = Pattern.compile("([0-9]{1,3})(s|m|ms)?");
    private static final Duration LONGEST_WAIT = Duration.ofMinutes(5);

    /**
     * Reads one.
     *
     * @param of what the path named
     * @param rest of the path, {@code subject:verb}
     * @param body JSON; empty where there is none
     * @throws ApiException 400 or 404 by name
     */
    static ChangeRequest read(
            AdminApi.Subject of, String rest, byte[] body, Optional<String> wait, Optional<String> idempotencyKey) {
        Matcher path = SUBJECT.matcher(rest);
        if (!path.matches()) {
            throw notFound();
        }
        Verb verb = verb(of, path.group(2));
        ObjectNode object = body.length == 0 ? Json.readObject(new byte[] {'{', '}'}) : Json.readObject(body);
        Fields fields = new Fields(object, "");
        boolean dryRun = fields.flag("dryRun");
        String to = verb == Verb.MOVE ? name(fields.required("to"), "to") : "";
        Long generation = verb == Verb.MOVE ? fields.int64("generation") : null;
        boolean ofModel = verb == Verb.PLACE || verb == Verb.UNPLACE;
        String region = ofModel ? name(fields.required("region"), "region") : "";
        int replicas = verb == Verb.PLACE ? replicas(fields) : 0;
        List<String> nodes = verb == Verb.PLACE ? nodes(fields) : List.of();
        boolean force = verb == Verb.UNPLACE && fields.flag("force");
        fields.rejectUnknown();
        if (generation != null && generation < 1) {
            throw ApiException.invalid(
                    "out_of_range", "generation", "Invalid value for 'generation': expected 1 or more.");
        }
        return new ChangeRequest(
                verb,
                path.group(1),
                to,
                region,
                replicas,
                nodes,
                force,
                dryRun,
                generation == null ? 0 : generation,
                idempotencyKey.map(ChangeRequest::key).orElse(null),
                wait.map(ChangeRequest::duration).orElse(Duration.ZERO));
    }

    private static String name(JsonNode value, String param) {
        String name = Fields.text(value, param);
        if (!ReplicaId.NAME.matcher(name).matches()) {
            throw ApiException.invalid(
                    "invalid_value",
                    param,
                    "Invalid value for '" + param + "': it is no name of a "
                            + (param.equals("region") ? "region" : "node") + ".");
        }
        return name;
    }

    private static int replicas(Fields fields) {
        fields.required("replicas");
        Long replicas = fields.int64("replicas");
        if (replicas == null || replicas < 1 || replicas > ModelPlacement.MAX_REPLICAS) {
            throw ApiException.invalid(
                    "out_of_range",
                    "replicas",
                    "Invalid value for 'replicas': expected 1 to " + ModelPlacement.MAX_REPLICAS + ".");
        }
        return replicas.intValue();
    }

    private static List<String> nodes(Fields fields) {
        List<JsonNode> items = fields.list("nodes", MAX_NODES);
        Set<String> nodes = new LinkedHashSet<>();
        for (int i = 0; i < items.size(); i++) {
            nodes.add(name(items.get(i), "nodes[" + i + "]"));
        }
        return List.copyOf(nodes);
    }

    private static Verb verb(AdminApi.Subject of, String name) {
        return switch (of) {
            case REPLICA -> named(name, Verb.MOVE);
            case NODE -> named(name, Verb.DRAIN, Verb.UNDRAIN);
            case MODEL -> named(name, Verb.PLACE, Verb.UNPLACE);
            case CHANGE -> named(name, Verb.UNDO);
        };
    }

    private static Verb named(String name, Verb... verbs) {
        return Stream.of(verbs)
                .filter(verb -> verb.name().toLowerCase(Locale.ROOT).equals(name))
                .findFirst()
                .orElseThrow(ChangeRequest::notFound);
    }

    private static ApiException notFound() {
        return new ApiException(ApiError.http(404, "unknown_url", "There is nothing at this URL."));
    }

    private static String key(String value) {
        if (!KEY.matcher(value).matches()) {
            throw new ApiException(ApiError.http(
                    400, "invalid_value", "Idempotency-Key: expected 1 to 128 visible ASCII characters."));
        }
        return value;
    }

    private static Duration duration(String value) {
        Matcher parts = WAIT.matcher(value);
        if (!parts.matches()) {
            throw ApiException.invalid("invalid_value", "wait", "Invalid value for 'wait': expected for example 30s.");
        }
        long number = Long.parseLong(parts.group(1));
        String unit = parts.group(2) == null ? "s" : parts.group(2);
        Duration wait = switch (unit) {
            case "ms" -> Duration.ofMillis(number);
            case "m" -> Duration.ofMinutes(number);
            default -> Duration.ofSeconds(number);
        };
        if (wait.compareTo(LONGEST_WAIT) > 0) {
            throw ApiException.invalid("out_of_range", "wait", "Invalid value for 'wait': expected at most 5m.");
        }
        return wait;
    }
}

package dev.meridian.edge.admin;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.meridian.edge.openai.ApiError;
import dev.meridian.edge.openai.ApiException;
import dev.meridian.edge.openai.Fields;
import dev.meridian.edge.openai.Json;
import dev.meridian.protocol.cluster.ReplicaId;
import java.time.Duration;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What an operator asks, read and checked.
 *
 * @param subject the replica of a move, the node of a drain or an undrain
 * @param to the target of a move, empty of others
 * @param generation of the pin that the asker has seen; 0 for any
 * @param idempotencyKey null where there is none
 * @param waitAtMost how long the answer may wait until the change is over
 */
record ChangeRequest(
        Verb verb,
        String subject,
        String to,
        boolean dryRun,
        long generation,
        @Nullable String idempotencyKey,
        Duration waitAtMost) {
    enum Verb {
        MOVE,
        DRAIN,
        UNDRAIN
    }

    private static final Pattern SUBJECT = Pattern.compile("([A-Za-z0-9._~-]{1,200}):([a-z]{1,16})");
    private static final Pattern KEY = Pattern.compile("[\\x21-\\x7e]{1,128}");
    private static final Pattern WAIT = Pattern.compile("([0-9]{1,3})(s|m|ms)?");
    private static final Duration LONGEST_WAIT = Duration.ofMinutes(5);

    /**
     * Reads one.
     *
     * @param ofReplica whether the path named a replica, else a node
     * @param rest of the path, {@code subject:verb}
     * @param body JSON; empty where there is none
     * @throws ApiException 400 or 404 by name
     */
    static ChangeRequest read(
            boolean ofReplica, String rest, byte[] body, Optional<String> wait, Optional<String> idempotencyKey) {
        Matcher path = SUBJECT.matcher(rest);
        if (!path.matches()) {
            throw notFound();
        }
        Verb verb = verb(ofReplica, path.group(2));
        ObjectNode object = body.length == 0 ? Json.readObject(new byte[] {'{', '}'}) : Json.readObject(body);
        Fields fields = new Fields(object, "");
        boolean dryRun = fields.flag("dryRun");
        String to = verb == Verb.MOVE ? Fields.text(fields.required("to"), "to") : "";
        Long generation = verb == Verb.MOVE ? fields.int64("generation") : null;
        fields.rejectUnknown();
        if (generation != null && generation < 1) {
            throw ApiException.invalid(
                    "out_of_range", "generation", "Invalid value for 'generation': expected 1 or more.");
        }
        if (verb == Verb.MOVE && !ReplicaId.NAME.matcher(to).matches()) {
            throw ApiException.invalid("invalid_value", "to", "Invalid value for 'to': it is no name of a node.");
        }
        return new ChangeRequest(
                verb,
                path.group(1),
                to,
                dryRun,
                generation == null ? 0 : generation,
                idempotencyKey.map(ChangeRequest::key).orElse(null),
                wait.map(ChangeRequest::duration).orElse(Duration.ZERO));
    }

    private static Verb verb(boolean ofReplica, String name) {
        if (ofReplica && name.equals("move")) {
            return Verb.MOVE;
        }
        return switch (ofReplica ? "" : name) {
            case "drain" -> Verb.DRAIN;
            case "undrain" -> Verb.UNDRAIN;
            default -> throw notFound();
        };
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

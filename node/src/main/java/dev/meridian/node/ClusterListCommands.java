package dev.meridian.node;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** What there is in a cluster, as tables. */
final class ClusterListCommands {
    private static final double MEBIBYTE = 1 << 20;
    private static final double MILLIS_PER_SECOND = 1000;

    private ClusterListCommands() {}

    /** One list of the admin API. */
    abstract static sealed class Listing implements Callable<Integer> {
        @Mixin
        private AdminClient client = new AdminClient();

        @Spec
        private CommandSpec spec;

        abstract String path();

        abstract Table table();

        abstract List<String> row(JsonNode item);

        /** What is said below the table. */
        Optional<String> foot(JsonNode answer) {
            return Optional.empty();
        }

        @Override
        public Integer call() {
            JsonNode answer = client.get(path());
            PrintWriter out = spec.commandLine().getOut();
            if (client.wantsJson()) {
                out.println(answer.toPrettyString());
            } else {
                Table table = table();
                answer.path("items").forEach(item -> table.row(row(item)));
                table.print(out);
                foot(answer).ifPresent(out::println);
            }
            out.flush();
            return 0;
        }
    }

    static String text(JsonNode item, String field) {
        JsonNode value = item.path(field);
        return value.isMissingNode() || value.isNull() ? "" : value.asText();
    }

    private static String joined(JsonNode list) {
        List<String> texts = new ArrayList<>();
        list.forEach(one -> texts.add(one.asText()));
        return String.join(", ", texts);
    }

    /** {@code cluster}. */
    @Command(name = "cluster", description = "Show the nodes of a cluster.")
    static final class Nodes extends Listing {
        @Override
        String path() {
            return "nodes";
        }

        @Override
        Table table() {
            return new Table(List.of("Node", "Region", "Status", "Roles", "Memory", "Round trip"), 4, 5);
        }

        @Override
        List<String> row(JsonNode item) {
            JsonNode memory = item.path("memory");
            String used = "%.0f of %.0f MiB"
                    .formatted(
                            memory.path("reservedBytes").asDouble() / MEBIBYTE,
                            memory.path("budgetBytes").asDouble() / MEBIBYTE);
            JsonNode rtt = item.path("rttMillis");
            return List.of(
                    text(item, "id"),
                    text(item, "region"),
                    text(item, "status"),
                    joined(item.path("roles")),
                    used,
                    rtt.isNull() ? "" : "%.1f ms".formatted(rtt.asDouble()));
        }
    }

    /** {@code replicas}. */
    @Command(name = "replicas", description = "Show where the replicas of all models are.")
    static final class Replicas extends Listing {
        @Override
        String path() {
            return "replicas";
        }

        @Override
        Table table() {
            return new Table(
                    List.of("Replica", "Node", "State", "Queue", "Running", "Tokens/s", "Generation"), 3, 4, 5, 6);
        }

        @Override
        List<String> row(JsonNode item) {
            String moves = text(item, "movesTo");
            return List.of(
                    text(item, "id"),
                    text(item, "node"),
                    moves.isEmpty() ? text(item, "state") : text(item, "state") + ", moves to " + moves,
                    text(item, "queueDepth"),
                    text(item, "runningSequences"),
                    text(item, "tokensPerSecond"),
                    text(item, "generation"));
        }
    }

    /** {@code models}. */
    @Command(name = "models", description = "Show the models that the nodes of a cluster have.")
    static final class ModelsOfNodes extends Listing {
        @Override
        String path() {
            return "models";
        }

        @Override
        Table table() {
            return new Table(List.of("Model", "Digest", "Weights", "Context", "Nodes", "Replicas"), 3, 5);
        }

        @Override
        List<String> row(JsonNode item) {
            return List.of(
                    text(item, "id"),
                    text(item, "digest"),
                    text(item, "weights"),
                    text(item, "contextTokens"),
                    joined(item.path("nodes")),
                    Integer.toString(item.path("replicas").size()));
        }
    }

    /** {@code demand}. */
    @Command(name = "demand", description = "Show what is asked of which model in which region.")
    static final class Demand extends Listing {
        @Override
        String path() {
            return "demand";
        }

        @Override
        Table table() {
            return new Table(
                    List.of(
                            "Region",
                            "Model",
                            "Requests/min",
                            "Tokens/s",
                            "Streams",
                            "Waiting",
                            "Waits for",
                            "Idle for"),
                    2,
                    3,
                    4,
                    5,
                    6,
                    7);
        }

        @Override
        List<String> row(JsonNode item) {
            boolean waits = item.path("waiting").asInt() > 0;
            JsonNode idle = item.path("idleMillis");
            return List.of(
                    text(item, "region"),
                    text(item, "model"),
                    text(item, "requestsPerMinute"),
                    text(item, "tokensPerSecond"),
                    text(item, "streams"),
                    text(item, "waiting"),
                    waits ? seconds(item.path("waitingMillis")) : "",
                    idle.isNull() ? "" : seconds(idle));
        }
    }

    /** How long a change's loads take, empty where it has none or nobody knows. */
    static String estimate(JsonNode change) {
        JsonNode millis = change.path("estimateMillis");
        return millis.asLong() > 0 ? seconds(millis) : "";
    }

    static String seconds(JsonNode millis) {
        return "%.1f s".formatted(millis.asLong() / MILLIS_PER_SECOND);
    }

    /** {@code plan}. */
    @Command(name = "plan", description = "Show what the policy would do now in every region, and why.")
    static final class Plan extends Listing {
        @Override
        String path() {
            return "plan";
        }

        @Override
        Table table() {
            return new Table(List.of("Region", "Model", "Held", "Wanted", "With room", "Change", "Why"), 2, 3, 4);
        }

        @Override
        List<String> row(JsonNode item) {
            return List.of(
                    text(item, "region"),
                    text(item, "model"),
                    text(item, "held"),
                    text(item, "replicas"),
                    text(item, "wished"),
                    item.path("change").asBoolean() ? "yes" : "",
                    text(item, "reason"));
        }

        @Override
        Optional<String> foot(JsonNode answer) {
            return Optional.of("The policy is " + text(answer, "policy") + ".");
        }
    }

    /** {@code changes}. */
    @Command(name = "changes", description = "Show what operators have changed, the newest first.")
    static final class Changes extends Listing {
        @Override
        String path() {
            return "changes";
        }

        @Override
        Table table() {
            return new Table(
                    List.of("Change", "Verb", "What", "From", "To", "Estimate", "State", "Progress", "By", "Started"),
                    5);
        }

        @Override
        List<String> row(JsonNode item) {
            String what = Stream.of("replica", "model", "from")
                    .map(field -> text(item, field))
                    .filter(one -> !one.isEmpty())
                    .findFirst()
                    .orElse("");
            return List.of(
                    text(item, "id"),
                    text(item, "verb"),
                    what,
                    text(item, "from"),
                    text(item, "to"),
                    estimate(item),
                    text(item, "state"),
                    text(item, "progress"),
                    text(item, "by"),
                    text(item, "startedAt"));
        }
    }
}

package dev.meridian.node;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintWriter;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** What was decided in a cluster, and why. */
final class EventCommands {
    private EventCommands() {}

    /** {@code events}. */
    @Command(name = "events", description = "Show what was decided of where replicas are, and why, the newest last.")
    static final class Events implements Callable<Integer> {
        private static final long CONTINUE_NANOS = TimeUnit.SECONDS.toNanos(1);

        @Mixin
        private AdminClient client = new AdminClient();

        @Option(names = "--follow", description = "Go on with those that come, until interrupted.")
        private boolean follow;

        @Spec
        private CommandSpec spec;

        @Override
        public Integer call() {
            PrintWriter out = spec.commandLine().getOut();
            if (follow) {
                follow(out);
            }
            JsonNode answer = client.get("events");
            if (client.wantsJson()) {
                out.println(answer.toPrettyString());
            } else {
                table(answer.path("items")).print(out);
            }
            out.flush();
            return 0;
        }

        /** A node ends a stream now and then; this ends when it answers no more. */
        private void follow(PrintWriter out) {
            String last = null;
            while (!Thread.currentThread().isInterrupted()) {
                last = client.follow("events", last, event -> {
                    out.println(client.wantsJson() ? event.toString() : line(event));
                    out.flush();
                });
                LockSupport.parkNanos(CONTINUE_NANOS);
            }
        }

        private static String line(JsonNode event) {
            return String.join(
                    "  ", cells(event).stream().filter(cell -> !cell.isEmpty()).toList());
        }
    }

    static Table table(JsonNode events) {
        Table table = new Table(List.of("Time", "Region", "Kind", "What", "Where", "By", "Why"));
        events.forEach(event -> table.row(cells(event)));
        return table;
    }

    private static List<String> cells(JsonNode event) {
        String replica = text(event, "replica");
        String from = text(event, "from");
        String node = text(event, "node");
        return List.of(
                text(event, "at"),
                text(event, "region"),
                text(event, "kind"),
                replica.isEmpty() ? text(event, "model") : replica,
                from.isEmpty() || node.isEmpty() ? from + node : from + " -> " + node,
                text(event, "by"),
                text(event, "reason"));
    }

    private static String text(JsonNode item, String field) {
        return ClusterListCommands.text(item, field);
    }

    /** {@code why}. */
    @Command(
            name = "why",
            description = "Show why a replica or a model is where it is, or where a request was sent and why.")
    static final class Why implements Callable<Integer> {
        @Mixin
        private AdminClient client = new AdminClient();

        @Parameters(
                paramLabel = "ID",
                description =
                        "A replica as 'replicas' shows it, a model, or the id of a request that this node's edge had.")
        private String id = "";

        @Spec
        private CommandSpec spec;

        @Override
        public Integer call() {
            JsonNode answer = client.get(
                    "why/" + URLEncoder.encode(id, StandardCharsets.UTF_8).replace("%7E", "~"));
            PrintWriter out = spec.commandLine().getOut();
            if (client.wantsJson()) {
                out.println(answer.toPrettyString());
            } else if (answer.has("attempts")) {
                request(answer, out);
            } else {
                placed(answer, out);
            }
            out.flush();
            return 0;
        }

        private static void request(JsonNode answer, PrintWriter out) {
            out.println(text(answer, "id") + " asked for " + text(answer, "model") + "; its residency is "
                    + text(answer, "residency") + ".");
            Table table = new Table(List.of("Time", "Attempt", "Served by", "Why"), 1);
            answer.path("attempts")
                    .forEach(attempt -> table.row(List.of(
                            text(attempt, "at"),
                            text(attempt, "attempt"),
                            text(attempt, "servedBy"),
                            text(attempt, "why"))));
            table.print(out);
        }

        private static void placed(JsonNode answer, PrintWriter out) {
            if (answer.path("replicas").isEmpty()) {
                out.println(text(answer, "id") + " is nowhere.");
            }
            for (JsonNode replica : answer.path("replicas")) {
                String next = text(replica, "movesTo");
                out.println(text(replica, "id") + " is on " + text(replica, "node")
                        + (next.isEmpty() ? "." : " and moves to " + next + "."));
            }
            table(answer.path("events")).print(out);
        }
    }
}

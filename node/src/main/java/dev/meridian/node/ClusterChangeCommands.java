package dev.meridian.node;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Changes of where replicas are. */
final class ClusterChangeCommands {
    private ClusterChangeCommands() {}

    /** One change; waits until it is over. */
    abstract static sealed class Changing implements Callable<Integer> {
        @Mixin
        private AdminClient client = new AdminClient();

        @Option(names = "--dry-run", description = "Print the plan and change nothing.")
        private boolean dryRun;

        @Option(
                names = "--wait",
                paramLabel = "TIME",
                defaultValue = "2m",
                description = "How long to wait for its end. Default: ${DEFAULT-VALUE}.")
        private String wait = "2m";

        @Spec
        private CommandSpec spec;

        abstract String path();

        Map<String, Object> body() {
            return new LinkedHashMap<>();
        }

        @Override
        public Integer call() {
            Map<String, Object> body = body();
            body.put("dryRun", dryRun);
            JsonNode change = client.post(path() + "?wait=" + wait, body);
            PrintWriter out = spec.commandLine().getOut();
            if (client.wantsJson()) {
                out.println(change.toPrettyString());
            } else {
                int number = 1;
                for (JsonNode step : change.path("plan")) {
                    out.println("  " + number++ + ". " + step.asText());
                }
                out.println(
                        dryRun
                                ? "Nothing was changed."
                                : change.path("id").asText() + " is "
                                        + change.path("state").asText() + ": "
                                        + change.path("progress").asText());
            }
            out.flush();
            return change.path("state").asText().equals("failed") ? Main.FAILED : 0;
        }
    }

    /** {@code move}. */
    @Command(name = "move", description = "Move a replica to another node of its region.")
    static final class Move extends Changing {
        @Parameters(paramLabel = "REPLICA", description = "As 'replicas' shows it.")
        private String replica = "";

        @Option(names = "--to", required = true, paramLabel = "NODE", description = "The node that is to hold it.")
        private String to = "";

        @Option(
                names = "--generation",
                paramLabel = "N",
                description = "Only where the replica's generation is still this one.")
        private @Nullable Long generation;

        @Override
        String path() {
            return "replicas/" + replica + ":move";
        }

        @Override
        Map<String, Object> body() {
            Map<String, Object> body = super.body();
            body.put("to", to);
            if (generation != null) {
                body.put("generation", generation);
            }
            return body;
        }
    }

    /** {@code drain}. */
    @Command(name = "drain", description = "Move everything off a node, so that it can stop.")
    static final class Drain extends Changing {
        @Parameters(paramLabel = "NODE", description = "As 'cluster' shows it.")
        private String node = "";

        @Override
        String path() {
            return "nodes/" + node + ":drain";
        }
    }

    /** {@code undrain}. */
    @Command(name = "undrain", description = "Let a drained node hold replicas again.")
    static final class Undrain extends Changing {
        @Parameters(paramLabel = "NODE", description = "As 'cluster' shows it.")
        private String node = "";

        @Override
        String path() {
            return "nodes/" + node + ":undrain";
        }
    }
}

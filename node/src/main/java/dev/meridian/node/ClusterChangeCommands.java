package dev.meridian.node;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
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
                if (change.path("estimateMillis").isNull()) {
                    out.println("How long it takes is not known: a node that loads has loaded nothing yet.");
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

    /** {@code place}. */
    @Command(name = "place", description = "Say how many replicas of a model a region holds.")
    static final class Place extends Changing {
        @Parameters(paramLabel = "MODEL", description = "As 'models' shows it.")
        private String model = "";

        @Option(names = "--region", required = true, paramLabel = "REGION", description = "The region.")
        private String region = "";

        @Option(
                names = "--replicas",
                paramLabel = "N",
                defaultValue = "1",
                description = "How many, each on a node of its own. Default: ${DEFAULT-VALUE}.")
        private int replicas = 1;

        @Option(
                names = "--node",
                paramLabel = "NODE",
                description = "Only on this node; may be given several times. Default: on any.")
        private List<String> nodes = new ArrayList<>();

        @Override
        String path() {
            return "models/" + model + ":place";
        }

        @Override
        Map<String, Object> body() {
            Map<String, Object> body = super.body();
            body.put("region", region);
            body.put("replicas", replicas);
            if (!nodes.isEmpty()) {
                body.put("nodes", nodes);
            }
            return body;
        }
    }

    /** {@code unplace}. */
    @Command(name = "unplace", description = "Let a region hold nothing of a model.")
    static final class Unplace extends Changing {
        @Parameters(paramLabel = "MODEL", description = "As 'models' shows it.")
        private String model = "";

        @Option(names = "--region", required = true, paramLabel = "REGION", description = "The region.")
        private String region = "";

        @Option(names = "--force", description = "Even where no other region serves the model.")
        private boolean force;

        @Override
        String path() {
            return "models/" + model + ":unplace";
        }

        @Override
        Map<String, Object> body() {
            Map<String, Object> body = super.body();
            body.put("region", region);
            if (force) {
                body.put("force", true);
            }
            return body;
        }
    }

    /** {@code undo}. */
    @Command(name = "undo", description = "Restore what was before a change.")
    static final class Undo extends Changing {
        @Parameters(paramLabel = "CHANGE", description = "As 'changes' shows it.")
        private String change = "";

        @Override
        String path() {
            return "changes/" + change + ":undo";
        }
    }
}

package dev.meridian.node;

import dev.meridian.edge.access.ApiKey;
import dev.meridian.edge.access.KeyFile;
import dev.meridian.edge.access.KeySecret;
import dev.meridian.edge.access.Role;
import dev.meridian.protocol.cluster.Residency;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The keys of the HTTP API. A running node follows what these commands change. */
@Command(
        name = "keys",
        description = "Make, list and revoke keys of the HTTP API.",
        subcommands = {KeysCommand.Add.class, KeysCommand.ListKeys.class, KeysCommand.Revoke.class})
final class KeysCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "Missing command: add, list or revoke");
    }

    /** Which file it is. */
    static final class FileOption {
        @Option(
                names = "--config",
                paramLabel = "FILE",
                description = "Configuration whose meridian.edge.keys-file names the file. Default: .meridian/keys.json"
                        + " of the checkout.")
        private @Nullable Path config;

        KeyFile file() {
            return new KeyFile(
                    NodeSettings.load(config, Map.of()).edge().access().keysFile());
        }
    }

    /** Makes a key and shows it. */
    @Command(name = "add", description = "Make a key and print it. It is shown this once: the file holds its digest.")
    static final class Add implements Callable<Integer> {
        private static final Pattern PERIOD = Pattern.compile("(\\d{1,6})([dh])");

        @Mixin
        private FileOption file = new FileOption();

        @Option(
                names = "--name",
                required = true,
                paramLabel = "NAME",
                description = "For the list, and to revoke it: 1 to 64 characters of A-Za-z0-9._-")
        private String name;

        @Option(
                names = "--role",
                paramLabel = "ROLE",
                description = "client: the API. admin: also health and metrics. Default: ${DEFAULT-VALUE}.")
        private Role role = Role.CLIENT;

        @Option(
                names = "--models",
                paramLabel = "MODEL",
                split = ",",
                description = "Models that it may use and see, separated by commas. Default: all.")
        private List<String> models = List.of();

        @Option(
                names = "--regions",
                paramLabel = "REGION",
                split = ",",
                description =
                        "Regions that may see what is sent with it, separated by commas; edges of others refuse it."
                                + " Default: all.")
        private List<String> regions = List.of();

        @Option(
                names = "--requests-per-minute",
                paramLabel = "N",
                description = "Completions that may begin in a minute. Default: no bound.")
        private int requestsPerMinute;

        @Option(
                names = "--tokens-per-minute",
                paramLabel = "N",
                description = "Tokens of prompts and replies in a minute. Default: no bound.")
        private int tokensPerMinute;

        @Option(names = "--concurrent", paramLabel = "N", description = "Completions at a time. Default: no bound.")
        private int concurrent;

        @Option(
                names = "--expires",
                paramLabel = "WHEN",
                description = "A date (2030-01-31, begins in UTC), a moment (2030-01-31T12:00:00Z), or a time from now"
                        + " (90d, 12h). Default: never.")
        private @Nullable String expires;

        @Spec
        private CommandSpec spec;

        @Override
        public Integer call() {
            Instant now = Clock.systemUTC().instant();
            String secret = KeySecret.next(new SecureRandom());
            ApiKey key = key(secret, now);
            KeyFile keys = file.file();
            keys.update(before -> {
                if (before.stream().anyMatch(other -> other.name().equals(name))) {
                    throw new CommandFailed("there is a key " + name + " already; 'keys revoke " + name + "' ends it");
                }
                List<ApiKey> after = new ArrayList<>(before);
                after.add(key);
                return after;
            });
            PrintWriter out = spec.commandLine().getOut();
            out.println(secret);
            out.flush();
            PrintWriter err = spec.commandLine().getErr();
            err.println("Key " + name + " is in " + keys.path() + ", as a digest: the line above is not shown again.");
            err.flush();
            return 0;
        }

        private ApiKey key(String secret, Instant now) {
            try {
                return new ApiKey(
                        name,
                        HexFormat.of().formatHex(KeySecret.digest(secret)),
                        role,
                        models,
                        regions.isEmpty() ? Residency.ANYWHERE : Residency.in(regions),
                        requestsPerMinute,
                        tokensPerMinute,
                        concurrent,
                        now,
                        expires == null ? null : expiry(expires, now));
            } catch (IllegalArgumentException e) {
                throw new ParameterException(spec.commandLine(), e.getMessage(), e);
            }
        }

        private static Instant expiry(String when, Instant now) {
            Instant moment;
            Matcher period = PERIOD.matcher(when);
            try {
                if (period.matches()) {
                    long count = Long.parseLong(period.group(1));
                    moment = now.plus(period.group(2).equals("d") ? Duration.ofDays(count) : Duration.ofHours(count));
                } else if (when.contains("T")) {
                    moment = Instant.parse(when);
                } else {
                    moment = LocalDate.parse(when).atStartOfDay().toInstant(ZoneOffset.UTC);
                }
            } catch (DateTimeParseException e) {
                throw new IllegalArgumentException(
                        "--expires " + when + ": expected a date, a moment in UTC, or a time like 90d or 12h", e);
            }
            if (!moment.isAfter(now)) {
                throw new IllegalArgumentException("--expires " + when + " is over already");
            }
            return moment;
        }
    }

    /** Shows which keys there are. */
    @Command(name = "list", description = "List the keys, without what would let anybody in.")
    static final class ListKeys implements Callable<Integer> {
        @Mixin
        private FileOption file = new FileOption();

        @Option(names = "--json", description = "Print JSON.")
        private boolean json;

        @Spec
        private CommandSpec spec;

        @Override
        public Integer call() {
            List<ApiKey> keys = file.file().read();
            PrintWriter out = spec.commandLine().getOut();
            if (json) {
                out.print(new String(KeyFile.toJson(keys, false), StandardCharsets.UTF_8));
            } else if (keys.isEmpty()) {
                out.println("No keys. 'meridian keys add --name NAME' makes one.");
            } else {
                table(keys).print(out);
            }
            out.flush();
            return 0;
        }

        private static Table table(List<ApiKey> keys) {
            Instant now = Clock.systemUTC().instant();
            Table table = new Table(
                    List.of("Name", "Role", "Models", "Regions", "Requests/min", "Tokens/min", "Concurrent", "Expires"),
                    4,
                    5,
                    6);
            for (ApiKey key : keys) {
                table.row(List.of(
                        key.name(),
                        key.role().wireName(),
                        key.models().isEmpty() ? "all" : String.join(",", key.models()),
                        key.residency().anywhere()
                                ? "all"
                                : String.join(",", key.residency().regions()),
                        bound(key.requestsPerMinute()),
                        bound(key.tokensPerMinute()),
                        bound(key.concurrent()),
                        expiry(key.expires(), now)));
            }
            return table;
        }

        private static String bound(int limit) {
            return limit == 0 ? "-" : Integer.toString(limit);
        }

        private static String expiry(@Nullable Instant expires, Instant now) {
            if (expires == null) {
                return "never";
            }
            return now.isBefore(expires) ? expires.toString() : "expired";
        }
    }

    /** Ends a key. */
    @Command(name = "revoke", description = "End a key. A running node refuses it within seconds.")
    static final class Revoke implements Callable<Integer> {
        @Mixin
        private FileOption file = new FileOption();

        @Parameters(paramLabel = "<name>", description = "Name of the key.")
        private String name;

        @Spec
        private CommandSpec spec;

        @Override
        public Integer call() {
            KeyFile keys = file.file();
            keys.update(before -> {
                List<ApiKey> after =
                        before.stream().filter(key -> !key.name().equals(name)).toList();
                if (after.size() == before.size()) {
                    throw new CommandFailed("there is no key " + name + " in " + keys.path());
                }
                return after;
            });
            PrintWriter out = spec.commandLine().getOut();
            out.println("Key " + name + " is revoked.");
            out.flush();
            return 0;
        }
    }
}

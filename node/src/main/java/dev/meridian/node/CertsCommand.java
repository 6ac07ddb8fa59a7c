package dev.meridian.node;

import dev.meridian.edge.access.AccessSettings;
import dev.meridian.edge.access.PemCertificates;
import dev.meridian.edge.access.PemPair;
import dev.meridian.edge.access.WholeFile;
import dev.meridian.protocol.cluster.ReplicaId;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The certificates by which the nodes of a cluster know each other. */
@Command(
        name = "certs",
        description = {
            "Make the certificates by which the nodes of a cluster know each other.",
            "Writes ca.pem and ca-key.pem where they are not there yet, and for each node NODE.pem and NODE-key.pem."
        })
final class CertsCommand implements Callable<Integer> {
    /** Half of a CA's life. */
    private static final int MAX_DAYS = 1825;

    private static final String CA = "ca";
    private static final String KEY_SUFFIX = "-key";
    private static final List<String> LOOPBACK = List.of("127.0.0.1", "::1", "localhost");
    private static final Pattern WHOLE_ADDRESS = Pattern.compile("[0-9]+(\\.[0-9]+){3}|[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*");
    private static final Pattern HOST_NAME = Pattern.compile(
            "(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*");

    @Option(names = "--out", required = true, paramLabel = "DIR", description = "Folder of the files.")
    private Path out;

    @Option(
            names = "--cluster",
            paramLabel = "NAME",
            description = "The cluster's name: nodes take no certificate of another one. Default: what is renewed says,"
                    + " else " + ClusterTlsSettings.CLUSTER_NAME + ".")
    private @Nullable String cluster;

    @Option(
            names = "--days",
            paramLabel = "N",
            description = "How long a node's certificate is valid. Default: ${DEFAULT-VALUE}.")
    private int days = 397;

    @Option(names = "--renew", description = "Replace the nodes' certificates and keys that are there; the CA stays.")
    private boolean renew;

    @Parameters(
            arity = "1..*",
            paramLabel = "NODE[=HOST,...]",
            description =
                    "A node, and its meridian.cluster.host: addresses or names. Default: what is renewed says, else"
                            + " loopback.")
    private List<String> nodes;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException, GeneralSecurityException {
        Map<String, List<String>> hosts = hostsByNode();
        Instant now = Clock.systemUTC().instant();
        SecureRandom random = new SecureRandom();
        Map<String, List<String>> names = new LinkedHashMap<>();
        for (Map.Entry<String, List<String>> node : hosts.entrySet()) {
            names.put(node.getKey(), names(node.getKey(), node.getValue()));
        }
        CertificateAuthority.Made fresh = caExists() ? null : CertificateAuthority.create(random, now);
        CertificateAuthority ca =
                fresh == null ? CertificateAuthority.of(openCa(now), random) : CertificateAuthority.of(fresh, random);
        if (now.plus(Duration.ofDays(days)).isAfter(ca.validUntil())) {
            throw new CommandFailed(certificate(CA) + ": the CA ends at " + ca.validUntil() + ", before " + days
                    + " days are over; give fewer --days, or begin a new folder");
        }
        Files.createDirectories(out);
        if (fresh != null) {
            write(CA, fresh);
            say("Made " + certificate(CA) + " and " + key(CA)
                    + ". Nodes need the first alone; with the second anybody can" + " make a node of this cluster.\n");
        }
        for (Map.Entry<String, List<String>> node : names.entrySet()) {
            CertificateAuthority.Made made = ca.issue(node.getKey(), node.getValue(), now, Duration.ofDays(days));
            write(node.getKey(), made);
            describe(node.getKey(), node.getValue(), made.certificate());
        }
        return 0;
    }

    private void describe(String node, List<String> names, X509Certificate made) {
        say("Made " + certificate(node) + " and " + key(node) + " for " + String.join(", ", names) + ", valid until "
                + made.getNotAfter().toInstant() + ". In the configuration of " + node + ":\n");
        ClusterTlsSettings.lines(
                        absolute(certificate(CA)), absolute(certificate(node)), absolute(key(node)), names.getFirst())
                .forEach(this::say);
        say("");
    }

    private void say(String line) {
        PrintWriter console = spec.commandLine().getOut();
        console.println(line);
        console.flush();
    }

    /** What was asked for, checked; no hosts where none are named. */
    private Map<String, List<String>> hostsByNode() {
        if (days < 1 || days > MAX_DAYS) {
            throw wrong("--days " + days + ": expected 1 to " + MAX_DAYS);
        }
        if (cluster != null && !ClusterTlsSettings.isClusterName(cluster)) {
            throw wrong("--cluster " + cluster
                    + ": expected 1 to 32 characters of a-z, 0-9 and -, the first and last no -");
        }
        Map<String, List<String>> hosts = new LinkedHashMap<>();
        for (String argument : nodes) {
            int equals = argument.indexOf('=');
            String node = equals < 0 ? argument : argument.substring(0, equals);
            if (!ReplicaId.NAME.matcher(node).matches()) {
                throw wrong(
                        "'" + node + "' is no node's id: expected 1 to 32 characters of a-z, 0-9 and -, the first and"
                                + " last no -");
            }
            if (node.equals(CA) || node.endsWith(KEY_SUFFIX)) {
                throw wrong("a node's files cannot be named '" + node + "': others have such names");
            }
            List<String> named = equals < 0
                    ? List.of()
                    : List.of(argument.substring(equals + 1).split(",", -1));
            for (String host : named) {
                if (!isHost(host)) {
                    throw wrong("'" + host + "' in " + argument + " is neither an address nor a host's name");
                }
            }
            if (hosts.put(node, named) != null) {
                throw wrong("node " + node + " is named twice");
            }
        }
        return hosts;
    }

    /** Addresses as certificates hold them: whole ones, without the name of an interface. */
    private static boolean isHost(String host) {
        return NodeCertificate.isAddress(host)
                ? WHOLE_ADDRESS.matcher(host).matches()
                : HOST_NAME.matcher(host).matches();
    }

    private ParameterException wrong(String message) {
        return new ParameterException(spec.commandLine(), message);
    }

    /** The cluster's name and the hosts of a certificate to make; what it replaces says what is not said now. */
    private List<String> names(String node, List<String> hosts) {
        List<String> before = List.of();
        for (Path file : List.of(certificate(node), key(node))) {
            if (exists(file) && !renew) {
                throw new CommandFailed(file + ": exists already; --renew replaces it");
            }
        }
        if (exists(certificate(node)) && (hosts.isEmpty() || cluster == null)) {
            before = NodeCertificate.names(
                    PemCertificates.read(certificate(node)).getFirst());
        }
        List<String> names = new ArrayList<>();
        if (cluster != null) {
            names.add(cluster);
        } else {
            names.add(before.isEmpty() ? ClusterTlsSettings.CLUSTER_NAME : before.getFirst());
        }
        if (!hosts.isEmpty()) {
            names.addAll(hosts);
        } else {
            names.addAll(before.isEmpty() ? LOOPBACK : before.subList(1, before.size()));
        }
        return names;
    }

    private boolean caExists() {
        boolean certificate = exists(certificate(CA));
        boolean key = exists(key(CA));
        if (certificate != key) {
            throw new CommandFailed((certificate ? key(CA) : certificate(CA)) + ": no such file, but there is "
                    + (certificate ? certificate(CA) : key(CA)));
        }
        return certificate;
    }

    private PemPair.Identity openCa(Instant now) {
        PemPair.Identity ca =
                PemPair.read(new AccessSettings.Tls(certificate(CA), key(CA))).open(now);
        if (ca.chain().getFirst().getBasicConstraints() < 0) {
            throw new CommandFailed(certificate(CA) + ": not a CA's certificate");
        }
        return ca;
    }

    private void write(String name, CertificateAuthority.Made made) throws IOException, GeneralSecurityException {
        WholeFile.writeSecret(key(name), made.keyPem());
        WholeFile.write(certificate(name), made.certificatePem());
    }

    private Path certificate(String name) {
        return out.resolve(name + ".pem");
    }

    private Path key(String name) {
        return out.resolve(name + KEY_SUFFIX + ".pem");
    }

    private static boolean exists(Path file) {
        return Files.exists(file, LinkOption.NOFOLLOW_LINKS);
    }

    private static Path absolute(Path file) {
        return file.toAbsolutePath().normalize();
    }
}

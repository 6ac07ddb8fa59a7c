package dev.meridian.processes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An {@code up} that cannot serve ends with exit code 1 and says in a sentence what is wrong. */
class RefusedStartTest {
    private static final Path ATLAS = Path.of(System.getProperty("meridian.root"), "models", "atlas");

    @TempDir
    Path folder;

    @Test
    void aFlippedBitInTheWeights() throws Exception {
        Path weights = copyOfAtlas("model.onnx.data");
        byte[] bytes = Files.readAllBytes(weights);
        bytes[bytes.length / 2] ^= 1;
        Files.write(weights, bytes);

        assertThat(outputOfRefusedStart()).contains("model.onnx.data", "SHA-256");
    }

    @Test
    void aMissingFile() throws Exception {
        Files.delete(copyOfAtlas("tokenizer.json"));

        assertThat(outputOfRefusedStart()).contains("tokenizer.json", "missing");
    }

    @Test
    void aTruncatedGraph() throws Exception {
        Path graph = copyOfAtlas("model.onnx");
        long whole = Files.size(graph);
        try (FileChannel channel = FileChannel.open(graph, StandardOpenOption.WRITE)) {
            channel.truncate(whole / 2);
        }

        assertThat(outputOfRefusedStart()).contains("model.onnx", Long.toString(whole / 2), Long.toString(whole));
    }

    @Test
    void severalDamagedBundlesAreAllNamed() throws Exception {
        Files.delete(copyOfAtlas("tokenizer.json"));
        Files.move(models().resolve("atlas"), models().resolve("first"));
        Files.delete(copyOfAtlas("model.onnx"));

        assertThat(outputOfRefusedStart()).contains("first", "tokenizer.json", "atlas", "model.onnx");
    }

    @Test
    void aPortInUse() throws Exception {
        copyOfAtlas("model.onnx");
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            String port = Integer.toString(taken.getLocalPort());

            assertThat(outputOfRefusedStart("--admin-port", port)).contains("cannot listen", port);
        }
    }

    @Test
    void aFolderWithoutModels() throws Exception {
        Files.createDirectories(models());

        assertThat(outputOfRefusedStart()).contains("no bundle in", "import");
    }

    @Test
    void aConfigurationWithAWrongUnit() throws Exception {
        copyOfAtlas("model.onnx");
        Path config = Files.writeString(folder.resolve("node.conf"), "meridian.edge.idle-timeout = 5 fortnights\n");

        assertThat(outputOfRefusedStart("--config", config.toString()))
                .contains("idle-timeout", "node.conf: 1", "fortnights");
    }

    @Test
    void aConfigurationFileThatIsNotThere() throws Exception {
        copyOfAtlas("model.onnx");

        assertThat(outputOfRefusedStart("--config", "nowhere.conf")).contains("nowhere.conf", "no such file");
    }

    @Test
    void anAddressForStrangersWithoutKeysAndTls() throws Exception {
        copyOfAtlas("model.onnx");
        Path config = Files.writeString(folder.resolve("node.conf"), "meridian.edge.client-host = \"0.0.0.0\"\n");

        assertThat(outputOfRefusedStart("--config", config.toString())).contains("0.0.0.0", "keys add", "tls");
    }

    @Test
    void aConfigurationOrAModelThatMayNotBeRead() throws Exception {
        copyOfAtlas("model.onnx");
        Path config = Files.writeString(folder.resolve("node.conf"), "meridian.edge.idle-timeout = 5s\n");
        String[] withConfig = {"up", "--models", models().toString(), "--port", "0", "--config", config.toString()};
        for (Path locked : List.of(config, models(), models().resolve("atlas"), models().resolve("atlas/model.onnx"))) {
            Set<PosixFilePermission> before = Files.getPosixFilePermissions(locked);
            Files.setPosixFilePermissions(locked, Set.of());
            try {
                assumeTrue(!canRead(locked), "whoever runs this may read everything");
                CliProcess.Ended ended = CliProcess.runAny(unprivileged(CliProcess.command(withConfig)));
                assertThat(ended.exitCode()).as(ended.output()).isEqualTo(1);
                assertThat(ended.output().strip().lines()).as(ended.output()).hasSize(1);
                assertThat(ended.output())
                        .contains(locked.getFileName().toString(), "permission denied")
                        .doesNotContain("Exception", "internal error");
            } finally {
                Files.setPosixFilePermissions(locked, before);
            }
        }
    }

    /** Root may read everything, but in a name space where it is nobody it has the rights of the files' owner alone. */
    private static List<String> unprivileged(List<String> command) {
        List<String> all = new ArrayList<>();
        if (System.getProperty("user.name").equals("root")) {
            all.addAll(List.of("unshare", "--user"));
        }
        all.addAll(command);
        return all;
    }

    private static boolean canRead(Path path) throws InterruptedException {
        try {
            if (CliProcess.runAny(unprivileged(List.of("true"))).exitCode() != 0) {
                return true; // The kernel allows no such name space.
            }
            String read = Files.isDirectory(path) ? "ls" : "cat";
            return CliProcess.runAny(unprivileged(List.of(read, path.toString())))
                            .exitCode()
                    == 0;
        } catch (IOException _) {
            return true; // No such program.
        }
    }

    private Path models() {
        return folder.resolve("models");
    }

    /** The file of that name in a copy of the bundle that ships. */
    private Path copyOfAtlas(String name) throws IOException {
        Path copy = Files.createDirectories(models().resolve("atlas"));
        try (Stream<Path> files = Files.list(ATLAS)) {
            for (Path file : files.toList()) {
                Files.copy(file, copy.resolve(file.getFileName()));
            }
        }
        return copy.resolve(name);
    }

    private String outputOfRefusedStart(String... options) throws Exception {
        try (NodeProcess node = NodeProcess.upAsCluster(models(), options)) {
            assertThat(node.awaitExit()).as(node.output()).isEqualTo(1);
            assertThat(node.output())
                    .doesNotContain("Meridian is up")
                    .doesNotContain("Exception")
                    .doesNotContain("\tat ");
            assertThat(List.of(node.output().split("\n"))).hasSizeLessThan(15);
            return node.output();
        }
    }
}

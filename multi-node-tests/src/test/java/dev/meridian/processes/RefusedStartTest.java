package dev.meridian.processes;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A node that cannot serve ends with exit code 1 and says in a sentence what is wrong. */
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
        try (NodeProcess node = NodeProcess.up(models(), options)) {
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

package dev.meridian.bench.peers;

import dev.meridian.bench.MeasurementFailed;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** llama.cpp as npm's package {@code node-llama-cpp} carries it: prebuilt for the CPU, nothing is compiled. */
final class NodeLlama {
    static final String VERSION = "3.22.1";
    private static final String PACKAGE = "node-llama-cpp";
    private static final String SCRIPT = "llama.mjs";
    private static final long INSTALL_MINUTES = 10;

    private NodeLlama() {}

    /**
     * Installs the package into a folder of its own unless it is there, without scripts of any package.
     *
     * @param folder which holds the package afterwards, and the script that runs it
     * @throws MeasurementFailed where npm is missing or fails, or there is no package for this machine
     */
    static void install(Path folder) throws IOException, InterruptedException {
        Files.createDirectories(folder);
        try (InputStream script = NodeLlama.class.getResourceAsStream(SCRIPT)) {
            Files.copy(script, folder.resolve(SCRIPT), StandardCopyOption.REPLACE_EXISTING);
        }
        Path marker = folder.resolve("installed-" + VERSION);
        if (Files.exists(marker)) {
            return;
        }
        String platform = platform(System.getProperty("os.name"), System.getProperty("os.arch"))
                .orElseThrow(() -> new MeasurementFailed(PACKAGE + " has no build for this machine's system"));
        Path log = folder.resolve("npm.log");
        Process npm;
        try {
            npm = new ProcessBuilder(List.of(
                            "npm",
                            "install",
                            "--prefix",
                            ".",
                            "--ignore-scripts",
                            "--omit=optional",
                            "--no-audit",
                            "--no-fund",
                            PACKAGE + "@" + VERSION,
                            "@" + PACKAGE + "/" + platform + "@" + VERSION))
                    .directory(folder.toFile())
                    .redirectErrorStream(true)
                    .redirectOutput(log.toFile())
                    .start();
        } catch (IOException e) {
            throw new MeasurementFailed("npm, which installs " + PACKAGE + ", does not start: " + e.getMessage(), e);
        }
        if (!npm.waitFor(INSTALL_MINUTES, TimeUnit.MINUTES) || npm.exitValue() != 0) {
            npm.destroyForcibly();
            throw new MeasurementFailed("npm could not install " + PACKAGE + ", see " + log);
        }
        Files.createFile(marker);
    }

    /** The package's name for a system and a processor, as Java names them; empty where it has no build for the CPU. */
    static Optional<String> platform(String system, String processor) {
        boolean arm = processor.equals("aarch64");
        String os = system.toLowerCase(Locale.ROOT);
        if (!arm && !processor.equals("amd64") && !processor.equals("x86_64")) {
            return Optional.empty();
        }
        if (os.startsWith("linux")) {
            return Optional.of(arm ? "linux-arm64" : "linux-x64");
        }
        return os.startsWith("mac") ? Optional.of(arm ? "mac-arm64-metal" : "mac-x64") : Optional.empty();
    }

    static Contender start(Path folder, Path gguf, int threads, PeerShape shape) {
        return ChildContender.start(
                "llama.cpp (npm)",
                shape.kvBytesPerToken(),
                List.of(
                        "node",
                        SCRIPT,
                        gguf.toAbsolutePath().toString(),
                        Integer.toString(threads),
                        Integer.toString(Task.LONGEST)),
                folder);
    }
}

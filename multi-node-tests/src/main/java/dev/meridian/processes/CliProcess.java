package dev.meridian.processes;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** A command of the command line as a process that runs to its end. */
final class CliProcess {
    private static final long SECONDS = 120;

    /** A command is over before the second compiler would pay. */
    private static final List<String> SHORT_LIVED = List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1");

    private CliProcess() {}

    /** @param output what went to both streams */
    record Ended(int exitCode, String output) {}

    /** The JVM with the class path of the tests, which goes by the environment: see {@link #environment(String)}. */
    static List<String> command(String... arguments) {
        return command(SHORT_LIVED, arguments);
    }

    /** The same with other flags of the JVM. */
    static List<String> command(List<String> flags, String... arguments) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-Xmx512m"));
        command.addAll(flags);
        command.add("dev.meridian.node.Main");
        command.addAll(List.of(arguments));
        return command;
    }

    private static Map<String, String> environment() {
        return environment(System.getProperty("java.class.path"));
    }

    /** Not on the command line: ONNX Runtime 1.29 reads that when it starts, and one of 10 KB crashes the process. */
    static Map<String, String> environment(String classPath) {
        return Map.of("CLASSPATH", classPath);
    }

    static Ended run(String... arguments) throws IOException, InterruptedException {
        return runAny(command(arguments));
    }

    /** Any program that starts {@link #command} in some way. */
    static Ended runAny(List<String> program) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(program).redirectErrorStream(true);
        builder.environment().putAll(environment());
        Process process = builder.start();
        process.getOutputStream().close();
        CompletableFuture<String> output = new CompletableFuture<>();
        Thread.ofVirtual().start(() -> {
            try {
                output.complete(new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8));
            } catch (IOException e) {
                output.completeExceptionally(e);
            }
        });
        if (!process.waitFor(SECONDS, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new AssertionError("did not end within " + SECONDS + " s: " + program);
        }
        return new Ended(process.exitValue(), output.join());
    }
}

package dev.meridian.processes;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A node as a process: {@code up} on free ports, with the class path of the tests. Its output is kept for the message of a
 * failure. Killed by {@link #close} at the latest.
 */
final class NodeProcess implements AutoCloseable {
    private static final long START_SECONDS = 90;
    private static final Pattern API = Pattern.compile("API\\s+(http://\\S+)/v1");
    private static final Pattern ADMIN = Pattern.compile("Admin\\s+(http://\\S+)");

    private final Process process;
    private final List<String> output = new ArrayList<>();
    private final CompletableFuture<URI> api = new CompletableFuture<>();
    private final CompletableFuture<URI> admin = new CompletableFuture<>();
    private final Thread reader;

    private NodeProcess(Process process) {
        this.process = process;
        reader = Thread.ofVirtual().start(this::readOutput);
    }

    /** A node that is no cluster. */
    static NodeProcess up(Path models, String... more) throws IOException {
        return up(Map.of(), models, more);
    }

    /** The three nodes of {@code up}; its addresses are those of the first one. */
    static NodeProcess upAsCluster(Path models, String... more) throws IOException {
        return start(Map.of(), models, List.of(more));
    }

    /** @param more options of {@code up}; ports are free ones, but for an {@code --admin-port} among them */
    static NodeProcess up(Map<String, String> environment, Path models, String... more) throws IOException {
        List<String> options = new ArrayList<>(List.of(more));
        options.add("--single");
        return start(environment, models, options);
    }

    private static NodeProcess start(Map<String, String> environment, Path models, List<String> more)
            throws IOException {
        ClassCache classes = ClassCache.get();
        List<String> command = CliProcess.command(classes.flags(), "up", "--models", models.toString(), "--port", "0");
        command.addAll(more);
        if (!command.contains("--admin-port")) {
            command.addAll(List.of("--admin-port", "0"));
        }
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().putAll(environment);
        builder.environment().putAll(CliProcess.environment(classes.classPath()));
        return new NodeProcess(builder.start());
    }

    /** A member of a cluster: {@code node} with that configuration. */
    static NodeProcess member(Path config, String... more) throws IOException {
        ClassCache classes = ClassCache.get();
        List<String> command = CliProcess.command(classes.flags(), "node", "--config", config.toString());
        // Several of them share a machine: small heaps, few threads, and nothing compiled twice over.
        command.addAll(1, List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xss512k"));
        command.addAll(List.of(more));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().putAll(CliProcess.environment(classes.classPath()));
        return new NodeProcess(builder.start());
    }

    URI api() throws Exception {
        return await(api);
    }

    URI admin() throws Exception {
        return await(admin);
    }

    private URI await(CompletableFuture<URI> address) throws Exception {
        try {
            return address.get(START_SECONDS, TimeUnit.SECONDS);
        } catch (java.util.concurrent.TimeoutException | java.util.concurrent.ExecutionException e) {
            throw new AssertionError("the node did not start:\n" + output(), e);
        }
    }

    /** Ends it as a supervisor does, and waits for its exit code. */
    int terminate() throws InterruptedException {
        tellToStop();
        return awaitExit();
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** SIGKILL, and waits until it is gone. */
    void kill() throws InterruptedException {
        process.destroyForcibly();
        process.waitFor();
    }

    long pid() {
        return process.pid();
    }

    /** SIGTERM. */
    void tellToStop() {
        process.toHandle().destroy();
    }

    int awaitExit() throws InterruptedException {
        if (!process.waitFor(30, TimeUnit.SECONDS)) {
            throw new AssertionError("the node did not stop:\n" + output());
        }
        reader.join();
        return process.exitValue();
    }

    /** Returns once the process has printed it. */
    void awaitOutput(String text) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (!output().contains(text)) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("no '" + text + "' in the output:\n" + output());
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
        }
    }

    String output() {
        synchronized (output) {
            return String.join("\n", output);
        }
    }

    private void readOutput() {
        try (BufferedReader lines = process.inputReader()) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                synchronized (output) {
                    output.add(line);
                }
                complete(api, API, line);
                complete(admin, ADMIN, line);
            }
        } catch (IOException e) {
            api.completeExceptionally(e);
        }
        api.completeExceptionally(new IOException("the process ended"));
        admin.completeExceptionally(new IOException("the process ended"));
    }

    private static void complete(CompletableFuture<URI> address, Pattern pattern, String line) {
        Matcher matcher = pattern.matcher(line);
        if (matcher.find()) {
            address.complete(URI.create(matcher.group(1)));
        }
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}

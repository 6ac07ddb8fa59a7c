package dev.meridian.bench.load;

import dev.meridian.bench.MeasurementFailed;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A node as a process of its own, from the class path of this one. Its last lines of output are kept for the message of a
 * failure. It goes with this process at the latest.
 */
public final class ChildNode implements AutoCloseable {
    private static final long START_SECONDS = 120;
    private static final long STOP_SECONDS = 30;
    private static final long READY_SECONDS = 60;
    private static final Duration SILENCE = Duration.ofSeconds(20);
    private static final int KEPT_LINES = 50;
    private static final Pattern API = Pattern.compile("API\\s+(http://\\S+)/v1");
    private static final Pattern ADMIN = Pattern.compile("Admin\\s+(http://\\S+)");
    private static final List<String> NODE_FLAGS =
            List.of("-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-XX:+ExitOnOutOfMemoryError");
    /** The command line of module node, which this module does not know. */
    private static final String MAIN = "dev.meridian.node.Main";

    private final Process process;
    private final Thread atExit;
    private final Deque<String> output = new ArrayDeque<>();
    private final CompletableFuture<InetSocketAddress> api = new CompletableFuture<>();
    private final CompletableFuture<InetSocketAddress> admin = new CompletableFuture<>();

    private ChildNode(Process process) {
        this.process = process;
        atExit = new Thread(process::destroyForcibly, "end-child-node");
        Runtime.getRuntime().addShutdownHook(atExit);
        // Not a virtual thread: the read of a pipe holds its carrier, and there may be two of those.
        Thread.ofPlatform().daemon().name("child-node-output").start(this::readOutput);
    }

    /**
     * Starts a node and waits until it serves.
     *
     * @param jvmFlags in addition to those that every JVM with Meridian's code needs
     * @param command a command of the command line that prints its addresses as {@code up} does, with its options
     * @throws MeasurementFailed with the node's output, where it does not start
     */
    public static ChildNode start(List<String> jvmFlags, List<String> command) throws InterruptedException {
        List<String> flags = new ArrayList<>(NODE_FLAGS);
        flags.addAll(jvmFlags);
        List<String> line = ChildJvm.command(flags, MAIN, command);
        ChildNode child;
        try {
            child = new ChildNode(
                    new ProcessBuilder(line).redirectErrorStream(true).start());
        } catch (IOException e) {
            throw new MeasurementFailed("a node as a process of its own does not start: " + e.getMessage(), e);
        }
        try {
            child.admin.get(START_SECONDS, TimeUnit.SECONDS);
            return child;
        } catch (ExecutionException | TimeoutException e) {
            child.close();
            throw new MeasurementFailed("the node did not start:\n" + child.output(), e);
        } catch (InterruptedException e) {
            child.close();
            throw e;
        }
    }

    /** The same with {@code up --single}, on ports that the system chooses. */
    public static ChildNode startSingle(List<String> jvmFlags, Path models, Path config) throws InterruptedException {
        return start(
                jvmFlags,
                List.of(
                        "up",
                        "--single",
                        "--models",
                        models.toString(),
                        "--config",
                        config.toString(),
                        "--port",
                        "0",
                        "--admin-port",
                        "0"));
    }

    /** A port of loopback that nobody listened at a moment ago. */
    public static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    /** Returns when the node says that it is ready. */
    public void awaitReady() throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(READY_SECONDS);
        while (true) {
            try {
                Connection.get(admin(), "/health/ready", SILENCE);
                return;
            } catch (IOException e) {
                if (System.nanoTime() - end > 0) {
                    throw new MeasurementFailed("a node is not ready: " + e.getMessage() + "\n" + output(), e);
                }
            }
            TimeUnit.MILLISECONDS.sleep(20);
        }
    }

    public InetSocketAddress api() {
        return api.join();
    }

    public InetSocketAddress admin() {
        return admin.join();
    }

    public long pid() {
        return process.pid();
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    /** The last lines that the node printed. */
    public String output() {
        synchronized (output) {
            return String.join("\n", output);
        }
    }

    /** Collects all garbage of the node now, by the JDK's {@code jcmd}. */
    public void collectGarbage() throws IOException, InterruptedException {
        Path jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd");
        Process running = new ProcessBuilder(jcmd.toString(), Long.toString(pid()), "GC.run")
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        if (!running.waitFor(STOP_SECONDS, TimeUnit.SECONDS) || running.exitValue() != 0) {
            running.destroyForcibly();
            throw new IOException("jcmd " + pid() + " GC.run failed");
        }
    }

    private void readOutput() {
        try (BufferedReader lines = process.inputReader()) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                synchronized (output) {
                    output.add(line);
                    if (output.size() > KEPT_LINES) {
                        output.remove();
                    }
                }
                complete(api, API, line);
                complete(admin, ADMIN, line);
            }
        } catch (IOException e) {
            admin.completeExceptionally(e);
        }
        admin.completeExceptionally(new IOException("the process ended"));
    }

    private static void complete(CompletableFuture<InetSocketAddress> address, Pattern pattern, String line) {
        Matcher matcher = pattern.matcher(line);
        if (matcher.find()) {
            URI uri = URI.create(matcher.group(1));
            address.complete(new InetSocketAddress(uri.getHost(), uri.getPort()));
        }
    }

    /** Tells the node to stop, waits, and ends it by force where it does not. */
    @Override
    public void close() {
        process.destroy();
        try {
            if (!process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException _) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
        try {
            Runtime.getRuntime().removeShutdownHook(atExit);
        } catch (IllegalStateException _) {
            // This process stops already: the hook ends the child.
        }
    }
}

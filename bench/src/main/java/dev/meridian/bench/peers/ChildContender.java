package dev.meridian.bench.peers;

import dev.meridian.bench.MeasurementFailed;
import dev.meridian.bench.load.ProcessMemory;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * A process that reads a task from each line of its input and answers with a line of its output: {@code = } and milliseconds,
 * or {@code ! } and why not. Other lines are kept for the message of a failure. It says {@code = 0} once it has loaded, and
 * ends when its input does.
 */
final class ChildContender implements Contender {
    /** Not timed: of a process that was idle the system may have taken pages away. */
    private static final String WAKE = "decode 1 128 8";

    private static final long STOP_SECONDS = 20;
    private static final int KEPT_CHARACTERS = 2_000;

    private final String name;
    private final long kvBytesPerToken;
    private final Process process;
    private final BufferedReader answers;
    private final Writer tasks;
    private final StringBuilder said = new StringBuilder();

    private ChildContender(String name, long kvBytesPerToken, Process process) {
        this.name = name;
        this.kvBytesPerToken = kvBytesPerToken;
        this.process = process;
        answers = process.inputReader();
        tasks = process.outputWriter();
    }

    /**
     * Starts the process and waits until it has loaded.
     *
     * @param kvBytesPerToken of its KV caches, for each position that it says it has allocated
     * @throws MeasurementFailed with the process's output, where it ends instead
     */
    static ChildContender start(String name, long kvBytesPerToken, List<String> command, Path folder) {
        Process process;
        try {
            process = new ProcessBuilder(command)
                    .directory(folder.toFile())
                    .redirectErrorStream(true)
                    .start();
        } catch (IOException e) {
            throw new MeasurementFailed(name + " does not start: " + e.getMessage(), e);
        }
        ChildContender child = new ChildContender(name, kvBytesPerToken, process);
        try {
            child.answer("to load");
            return child;
        } catch (IOException | RuntimeException e) {
            child.close();
            throw e instanceof MeasurementFailed failed
                    ? failed
                    : new MeasurementFailed(name + " does not start: " + e.getMessage(), e);
        }
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public boolean measures(Task task) {
        return true;
    }

    @Override
    public double run(Task task) throws IOException {
        if (task.kind() != Task.Kind.LOAD) {
            ask(WAKE);
        }
        return task.figure(ask(task.line()));
    }

    private double ask(String line) throws IOException {
        tasks.write(line + "\n");
        tasks.flush();
        return answer(line);
    }

    private double answer(String what) throws IOException {
        for (String line = answers.readLine(); line != null; line = answers.readLine()) {
            if (line.startsWith("= ")) {
                return Double.parseDouble(line.substring(2));
            }
            if (line.startsWith("! ")) {
                throw new MeasurementFailed(name + " was asked " + what + ": " + line.substring(2));
            }
            said.append(line).append('\n');
            said.delete(0, Math.max(0, said.length() - KEPT_CHARACTERS));
        }
        throw new MeasurementFailed(name + " was asked " + what + " and ended:\n" + said);
    }

    @Override
    public Optional<Resident> resident() throws IOException {
        long kv = kvBytesPerToken * (long) ask("positions");
        return ProcessMemory.of(process.pid())
                .map(memory -> new Resident(memory.bytes() - kv, memory.ownBytes() - kv, kv));
    }

    @Override
    public void close() {
        try {
            tasks.close();
        } catch (IOException _) {
            // It has ended already.
        }
        try {
            if (!process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException _) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}

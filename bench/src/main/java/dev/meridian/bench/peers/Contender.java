package dev.meridian.bench.peers;

import java.io.IOException;
import java.util.Optional;

/** An engine with the shape loaded. One thread at a time; idle while it runs no task. */
interface Contender extends AutoCloseable {
    String name();

    /** Whether it can be asked for a task. */
    boolean measures(Task task);

    /**
     * Runs a task once.
     *
     * @return the task's figure: tokens a second, or milliseconds
     * @throws dev.meridian.bench.MeasurementFailed where the engine does not do it
     */
    double run(Task task) throws IOException, InterruptedException;

    /** What it holds now; empty where it is no process that stays, or the system does not say. */
    Optional<Resident> resident() throws IOException;

    @Override
    void close();

    /**
     * Memory of a process.
     *
     * @param bytes resident, less the KV caches
     * @param ownBytes how much of that no other process can share: not mapped from a file
     * @param kvBytes KV caches that are allocated
     */
    record Resident(long bytes, long ownBytes, long kvBytes) {}
}

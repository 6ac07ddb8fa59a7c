package dev.meridian.processes;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/** Clients that read one stream after the other, until {@link #finish}, at edges that are not about to stop. */
final class SteadyLoad {
    private final ClusterOfProcesses cluster;
    private final int tokens;
    private final List<String> edges = new CopyOnWriteArrayList<>(List.of("eu-1", "eu-2", "us-1", "us-2"));
    private final Map<ScriptedStream, String> running = new ConcurrentHashMap<>();
    private final Queue<String> faults = new ConcurrentLinkedQueue<>();
    private final AtomicInteger started = new AtomicInteger();
    private final AtomicInteger completed = new AtomicInteger();
    private final List<Thread> clients = new ArrayList<>();
    private volatile boolean closed;

    SteadyLoad(ClusterOfProcesses cluster, int clients, int tokens) {
        this.cluster = cluster;
        this.tokens = tokens;
        for (int i = 0; i < clients; i++) {
            this.clients.add(Thread.ofVirtual().start(this::run));
        }
    }

    /** A client that meets a fault leaves it at that. */
    private void run() {
        boolean whole = true;
        while (!closed && whole) {
            int number = started.incrementAndGet();
            String edge = "none";
            try {
                ScriptedStream stream;
                synchronized (running) {
                    edge = edges.get(number % edges.size());
                    stream = cluster.stream(edge, number % 1000, tokens);
                    running.put(stream, edge);
                }
                String fault = stream.fault();
                running.remove(stream);
                whole = fault.isEmpty();
                if (whole) {
                    completed.incrementAndGet();
                } else {
                    faults.add("request " + number + " at " + edge + ": " + fault);
                }
            } catch (Exception e) {
                whole = false;
                faults.add("request " + number + " at " + edge + ": " + e);
            }
        }
    }

    /** Sends nothing new to an edge, and returns when it has taken all that was sent; what runs there goes on. */
    void leave(String edge) throws Exception {
        synchronized (running) {
            edges.remove(edge);
        }
        cluster.await(
                "answers of " + edge,
                () -> running.entrySet().stream()
                        .allMatch(entry -> !entry.getValue().equals(edge)
                                || entry.getKey().received() > 0
                                || entry.getKey().hasEnded()));
    }

    void enter(String edge) {
        edges.add(edge);
    }

    List<String> faults() {
        return List.copyOf(faults);
    }

    int completed() {
        return completed.get();
    }

    /** Returns when the streams that run have ended. */
    void finish() throws InterruptedException {
        closed = true;
        for (Thread client : clients) {
            client.join();
        }
    }
}

package dev.meridian.placement.simulation;

import dev.meridian.placement.simulation.EventQueue.Event;
import dev.meridian.placement.simulation.Replica.State;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** What nodes do with replicas: load one at a time, drain, free; fail and come back. */
final class Hosting {
    private static final double MICROS_PER_SECOND = Moments.SECOND;

    private final World world;
    private int unsettled;

    Hosting(World world) {
        this.world = world;
    }

    /** Replicas that load or drain, or whose node has failed. */
    int unsettled() {
        return unsettled;
    }

    private void become(Replica replica, State state) {
        unsettled += (isSettled(state) ? 0 : 1) - (isSettled(replica.state) ? 0 : 1);
        replica.state = state;
    }

    private static boolean isSettled(State state) {
        return state == State.READY || state == State.GONE;
    }

    /** Where a new replica goes, as the real placement chooses: the node that has the fewest, then the one with the most room. */
    Optional<Node> choose(int region, int model) {
        long needed = world.model(model).bytes();
        return world.nodes.stream()
                .filter(node -> node.region == region
                        && node.isUp
                        && !node.replicas.containsKey(model)
                        && needed <= node.freeBytes())
                .min(Comparator.comparingLong(Node::placed)
                        .thenComparing(Comparator.comparingLong(Node::freeBytes).reversed())
                        .thenComparing(node -> node.spec.name()));
    }

    void place(int model, Node node) {
        Replica replica = new Replica(model, node, world.now());
        node.replicas.put(model, replica);
        become(replica, State.PLACED);
        reserve(replica);
        node.loads.add(replica);
        loadNext(node);
    }

    private void reserve(Replica replica) {
        long bytes = world.model(replica.model).bytes();
        replica.node.reservedBytes += bytes;
        world.tally.holds(world.now(), bytes);
    }

    private void unreserve(Replica replica) {
        long bytes = world.model(replica.model).bytes();
        replica.node.reservedBytes -= bytes;
        world.tally.holds(world.now(), -bytes);
    }

    private void loadNext(Node node) {
        Replica replica = node.loading == null ? node.loads.poll() : null;
        if (replica != null) {
            node.loading = replica;
            become(replica, State.LOADING);
            replica.attempt++;
            long bytes = world.model(replica.model).bytes();
            world.tally.loads(bytes);
            world.events.schedule(
                    world.now() + loadMicros(node.spec, bytes), new Event.Loaded(replica, replica.attempt));
        }
    }

    private static long loadMicros(Scenario.Node node, long bytes) {
        Duration overhead = node.loadOverhead();
        return Moments.micros(overhead) + Math.round(bytes * MICROS_PER_SECOND / node.loadBytesPerSecond());
    }

    /** Whether it takes requests now. */
    boolean loaded(Replica replica, int attempt) {
        if (replica.attempt != attempt || replica.state != State.LOADING) {
            return false;
        }
        replica.node.loading = null;
        if (replica.unwanted) {
            free(replica);
        } else {
            become(replica, State.READY);
            readyBeside(replica).add(replica);
        }
        loadNext(replica.node);
        return replica.state == State.READY;
    }

    private List<Replica> readyBeside(Replica replica) {
        return world.ready(replica.model, replica.node.region);
    }

    void takeAway(Replica replica) {
        switch (replica.state) {
            case PLACED -> {
                replica.node.loads.remove(replica);
                free(replica);
            }
            case LOADING -> replica.unwanted = true;
            case READY -> {
                become(replica, State.DRAINING);
                readyBeside(replica).remove(replica);
                left(replica);
            }
            case LOST -> forget(replica);
            case DRAINING, GONE -> throw new IllegalStateException("taken away while " + replica.state);
        }
    }

    /** A request is with it no more. */
    void left(Replica replica) {
        if (replica.state == State.DRAINING && replica.requests.isEmpty()) {
            long lingers = Moments.micros(world.scenario.timing().lingers());
            world.events.schedule(world.now() + lingers, new Event.Lingered(replica, replica.attempt));
        }
    }

    /** Its memory is free, unless that has been lost with its node. */
    void lingered(Replica replica, int attempt) {
        if (replica.attempt == attempt && replica.state == State.DRAINING && replica.requests.isEmpty()) {
            free(replica);
        }
    }

    private void free(Replica replica) {
        if (replica.state != State.PLACED) {
            world.tally.unloads();
        }
        unreserve(replica);
        forget(replica);
    }

    private void forget(Replica replica) {
        become(replica, State.GONE);
        replica.node.replicas.remove(replica.model);
    }

    /** Everything in its memory is gone; returns the requests that it had. */
    List<Request> failed(Node node) {
        node.outages++;
        if (node.outages > 1) {
            return List.of();
        }
        node.isUp = false;
        node.failedAt = world.now();
        node.loads.clear();
        node.loading = null;
        List<Request> had = new ArrayList<>();
        for (Replica replica : List.copyOf(node.replicas.values())) {
            had.addAll(replica.requests);
            replica.requests.clear();
            replica.queue.clear();
            replica.running = 0;
            replica.attempt++;
            unreserve(replica);
            readyBeside(replica).remove(replica);
            if (replica.isPlaced()) {
                become(replica, State.LOST);
            } else {
                forget(replica);
            }
        }
        return had;
    }

    /** It loads again what the placement still counts on. */
    void back(Node node) {
        node.outages--;
        if (node.outages > 0) {
            return;
        }
        node.isUp = true;
        for (Replica replica : node.replicas.values()) {
            become(replica, State.PLACED);
            reserve(replica);
            node.loads.add(replica);
        }
        loadNext(node);
    }

    /** The placement gives up what is on nodes that are away for too long. */
    void rehome() {
        long patience = Moments.micros(world.scenario.timing().rehomeAfter());
        for (Node node : world.nodes) {
            if (!node.isUp && world.now() - node.failedAt >= patience) {
                List.copyOf(node.replicas.values()).forEach(this::forget);
            }
        }
    }
}

package dev.meridian.actors;

import dev.meridian.engine.EngineStats;
import dev.meridian.protocol.cluster.ModelInfo;
import dev.meridian.protocol.cluster.ReplicaId;
import dev.meridian.protocol.cluster.ReplicaState;
import dev.meridian.protocol.cluster.ReplicaStatus;
import dev.meridian.protocol.message.ReplicaCommand;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;
import java.util.stream.Stream;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * What {@link NodeModels} holds, for others to read. Written by that actor alone; read from any thread.
 */
public final class HeldReplicas {
    /** Of the newest measurement in the shown rate; one is made each time somebody looks. */
    private static final double NEWEST_SHARE = 0.25;

    private static final double NANOS_PER_SECOND = 1e9;

    /** One replica; {@code model} and {@code host} are null until it is loaded. */
    record Held(
            ReplicaId id,
            long generation,
            ReplicaState state,
            ModelInfo info,
            long reservedBytes,
            @Nullable HostedModel model,
            @Nullable ActorRef<ReplicaCommand> host) {
        Held with(long newGeneration, ReplicaState newState) {
            return new Held(id, newGeneration, newState, info, reservedBytes, model, host);
        }

        Held loaded(HostedModel newModel) {
            return new Held(id, generation, state, info, reservedBytes, newModel, host);
        }

        Held standingBy(ActorRef<ReplicaCommand> newHost) {
            return new Held(id, generation, ReplicaState.STANDBY, info, reservedBytes, model, newHost);
        }
    }

    /** Tokens generated until a moment, and how many a second before it. */
    private record Rate(long nanos, long tokens, double perSecond) {}

    private final LongSupplier nanoClock;
    private final Map<ReplicaId, Rate> rates = new HashMap<>();
    private volatile List<Held> held = List.of();
    private volatile long loadBytesPerSecond;
    private volatile Runnable changed = () -> {};

    public HeldReplicas(LongSupplier nanoClock) {
        this.nanoClock = nanoClock;
    }

    void set(List<Held> newest) {
        boolean same = newest.equals(held);
        held = List.copyOf(newest);
        if (!same) {
            changed.run();
        }
    }

    /** Calls {@code listener} after each change, on the thread that made it. There is one listener. */
    public void onChange(Runnable listener) {
        changed = listener;
    }

    public long reservedBytes() {
        return held.stream().mapToLong(Held::reservedBytes).sum();
    }

    /** A load of so many bytes of memory took so long; written by that actor alone. */
    void loaded(long bytes, long nanos) {
        long newest = (long) (bytes * NANOS_PER_SECOND / Math.max(1, nanos));
        long before = loadBytesPerSecond;
        loadBytesPerSecond = before == 0 ? newest : (before + newest) / 2;
    }

    /** Memory that loads fill in a second: half of it from the last load; 0 before the first one. */
    public long loadBytesPerSecond() {
        return loadBytesPerSecond;
    }

    /** The host of a replica that is pinned to this node and takes requests. */
    Optional<ActorRef<ReplicaCommand>> serving(ReplicaId id) {
        return held.stream()
                .filter(one -> one.id().equals(id) && one.state() == ReplicaState.READY)
                .flatMap(one -> Stream.ofNullable(one.host()))
                .findFirst();
    }

    /** As the node tells others. Rates are measured from one call to the next. */
    public synchronized List<ReplicaStatus> statuses() {
        List<Held> now = held;
        rates.keySet().removeIf(id -> now.stream().noneMatch(one -> one.id().equals(id)));
        return now.stream().map(this::status).toList();
    }

    private ReplicaStatus status(Held one) {
        HostedModel model = one.model();
        EngineStats stats = model == null ? null : model.stats();
        return new ReplicaStatus(
                one.id(),
                one.generation(),
                one.state(),
                one.info(),
                stats == null ? 0 : stats.waiting(),
                stats == null ? 0 : stats.decoding(),
                stats == null ? 0 : (float) tokensPerSecond(one.id(), stats.decodeTokens()),
                one.host());
    }

    private double tokensPerSecond(ReplicaId id, long tokens) {
        long now = nanoClock.getAsLong();
        Rate before = rates.get(id);
        if (before == null || now <= before.nanos()) {
            rates.put(id, new Rate(now, tokens, 0));
            return 0;
        }
        double newest = (tokens - before.tokens()) * NANOS_PER_SECOND / (now - before.nanos());
        double rate = NEWEST_SHARE * newest + (1 - NEWEST_SHARE) * before.perSecond();
        rates.put(id, new Rate(now, tokens, rate));
        return rate;
    }
}

package dev.meridian.placement;

import dev.meridian.protocol.message.ReplicaCommand;
import java.time.Duration;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import org.apache.pekko.actor.typed.ActorRef;

/** How long replicas have taken to their first tokens of late, as one edge has measured it. Thread-safe. */
public final class FirstTokenTimes {
    /** Of the newest time in the average. */
    private static final double NEWEST_SHARE = 0.2;

    /** What is older says nothing of now. */
    private static final Duration RECENT = Duration.ofSeconds(30);

    private final LongSupplier nanoClock;
    private final Map<ActorRef<ReplicaCommand>, Average> averages = new ConcurrentHashMap<>();

    private record Average(double nanos, long at) {}

    public FirstTokenTimes(LongSupplier nanoClock) {
        this.nanoClock = nanoClock;
    }

    /** A first attempt at that host got its first token {@code nanos} after it was sent. */
    public void add(ActorRef<ReplicaCommand> host, long nanos) {
        long now = nanoClock.getAsLong();
        averages.values().removeIf(average -> isOld(average, now));
        averages.merge(
                host,
                new Average(nanos, now),
                (before, newest) ->
                        new Average(NEWEST_SHARE * newest.nanos() + (1 - NEWEST_SHARE) * before.nanos(), newest.at()));
    }

    private static boolean isOld(Average average, long now) {
        return now - average.at() > RECENT.toNanos();
    }

    /** Nanoseconds; empty where nothing was measured of late. */
    OptionalDouble of(ActorRef<ReplicaCommand> host) {
        Average average = averages.get(host);
        return average == null || isOld(average, nanoClock.getAsLong())
                ? OptionalDouble.empty()
                : OptionalDouble.of(average.nanos());
    }
}

package dev.meridian.edge.stream;

import dev.meridian.edge.stream.EdgeMux.Rejected;
import dev.meridian.protocol.Refusal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Requests for whose models nothing is loaded that may serve them. Their waiting is demand, by which the placement loads one; in
 * the order in which they came they go on as soon as it serves. Each ends: served, at its deadline, or once nobody can load
 * its model any more. Runs in the mux actor.
 */
final class Waiters {
    private final Attempts attempts;
    private final StreamSettings settings;
    private final DemandMeter demand;
    private final Map<String, Waiter> waiters = new LinkedHashMap<>();

    /** One request; {@code hopelessAt} is when it was first seen that nobody can load its model, -1 while somebody can. */
    private static final class Waiter {
        final StreamRequest request;
        final Journal journal;
        final Opener opener;
        final long deadlineAt;
        long hopelessAt = -1;

        Waiter(StreamRequest request, Journal journal, Opener opener, long now) {
            this.request = request;
            this.journal = journal;
            this.opener = opener;
            deadlineAt = now + request.timeLimit().toNanos();
        }
    }

    /** A request that can start. */
    record Served(StreamRequest request, Journal journal, Opener opener, ResidencyGate.Passage replica) {}

    Waiters(Attempts attempts, StreamSettings settings, DemandMeter demand) {
        this.attempts = attempts;
        this.settings = settings;
        this.demand = demand;
    }

    boolean isEmpty() {
        return waiters.isEmpty();
    }

    int size() {
        return waiters.size();
    }

    boolean contains(String requestId) {
        return waiters.containsKey(requestId);
    }

    /** Lets it wait, or says at once why that would be for nothing. */
    void add(StreamRequest request, Journal journal, Opener opener, long now) {
        Optional<Replicas.Coming> coming = attempts.coming(request);
        if (coming.isEmpty()) {
            opener.tell(new Rejected(none(request)));
            return;
        }
        long estimateMillis = coming.get().estimateMillis();
        if (estimateMillis > request.timeLimit().toMillis()) {
            opener.tell(new Rejected(new StreamFailure.ModelLoading(request.model(), estimateMillis)));
            return;
        }
        opener.loading(request.model(), estimateMillis);
        waiters.put(request.id(), new Waiter(request, journal, opener, now));
        demand.waits(request.model(), request.id());
    }

    private static StreamFailure none(StreamRequest request) {
        return request.residency().anywhere()
                ? new StreamFailure.ByReplica(new Refusal.ModelNotReady(request.model()))
                : new StreamFailure.NoAllowedRegion(request.model(), request.residency());
    }

    /** Those that can start now; they are here no longer. */
    List<Served> tick(long now) {
        List<Served> served = new ArrayList<>();
        for (Iterator<Waiter> all = waiters.values().iterator(); all.hasNext(); ) {
            Waiter waiter = all.next();
            Optional<ResidencyGate.Passage> replica = attempts.replicaFor(waiter.request);
            if (replica.isPresent()) {
                Duration left = Duration.ofNanos(Math.max(1, waiter.deadlineAt - now));
                served.add(new Served(waiter.request.within(left), waiter.journal, waiter.opener, replica.get()));
            } else if (now - waiter.deadlineAt >= 0) {
                waiter.opener.tell(new Rejected(new StreamFailure.ByReplica(new Refusal.DeadlineExceeded())));
            } else if (isHopeless(waiter, now)) {
                waiter.opener.tell(new Rejected(none(waiter.request)));
            } else {
                continue;
            }
            all.remove();
            demand.waitsNoMore(waiter.request.model(), waiter.request.id());
        }
        return served;
    }

    /** For so long that it is more than a restart. */
    private boolean isHopeless(Waiter waiter, long now) {
        if (attempts.coming(waiter.request).isPresent()) {
            waiter.hopelessAt = -1;
        } else if (waiter.hopelessAt < 0) {
            waiter.hopelessAt = now;
        }
        return waiter.hopelessAt >= 0
                && now - waiter.hopelessAt >= settings.replicaWait().toNanos();
    }

    /** Its client is gone. */
    void left(String requestId) {
        Waiter waiter = waiters.remove(requestId);
        if (waiter != null) {
            demand.waitsNoMore(waiter.request.model(), requestId);
            waiter.opener.tell(new Rejected(new StreamFailure.ClientLeft()));
        }
    }

    void rejectAll(StreamFailure reason) {
        waiters.values().forEach(waiter -> {
            demand.waitsNoMore(waiter.request.model(), waiter.request.id());
            waiter.opener.tell(new Rejected(reason));
        });
        waiters.clear();
    }
}

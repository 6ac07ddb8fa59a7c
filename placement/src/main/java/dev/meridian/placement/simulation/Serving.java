package dev.meridian.placement.simulation;

import dev.meridian.placement.simulation.EventQueue.Event;
import dev.meridian.placement.simulation.Request.State;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/** The way of a request: to a replica, or waiting for one; queue, prefill, decode; anew where its node fails. */
final class Serving {
    private final World world;
    private final Hosting hosting;
    private final SplittableRandom random;
    private int open;
    private int waiting;

    Serving(World world, Hosting hosting, SplittableRandom random) {
        this.world = world;
        this.hosting = hosting;
        this.random = random;
    }

    /** Requests that have not ended. */
    int open() {
        return open;
    }

    /** Requests that wait for a load. */
    int waiting() {
        return waiting;
    }

    void arrived(Request request) {
        open++;
        request.deadline = world.now() + timeout();
        meter(request).arrived(world.now());
        world.tally.arrived(request);
        route(request);
    }

    private long timeout() {
        return Moments.micros(world.scenario.timing().requestTimeout());
    }

    private DemandMeter meter(Request request) {
        return world.meter(request.region, request.model);
    }

    private void route(Request request) {
        request.attempt++;
        Replica replica = choose(request);
        if (replica == null) {
            await(request);
            return;
        }
        request.state = State.ON_ITS_WAY;
        request.replica = replica;
        replica.requests.add(request);
        long oneWay = world.rtt(request.region, replica.node.region) / 2;
        world.events.schedule(world.now() + oneWay, new Event.Reached(request, request.attempt));
    }

    /** As ReplicaChoice: the own region, else the nearest, there the less busy of two that are drawn. */
    private @Nullable Replica choose(Request request) {
        for (int region : world.nearest(request.region)) {
            List<Replica> ready = world.ready(request.model, region);
            if (!ready.isEmpty()) {
                Replica one = ready.get(random.nextInt(ready.size()));
                Replica other = ready.get(random.nextInt(ready.size()));
                return other.requests.size() < one.requests.size() ? other : one;
            }
        }
        return null;
    }

    private void await(Request request) {
        request.state = State.WAITING;
        request.waitingSince = world.now();
        waiting++;
        meter(request).waiting.add(request);
        if (!request.hasFirstToken && !request.hasWaited) {
            request.hasWaited = true;
            world.tally.coldHit(request);
        }
        world.events.schedule(request.deadline, new Event.GivenUp(request, request.attempt));
    }

    /** A replica of that model takes requests now. */
    void serveWaiting(int model) {
        for (int region = 0; region < world.scenario.regions().size(); region++) {
            DemandMeter meter = world.usedMeter(region, model);
            if (meter == null) {
                continue;
            }
            List<Request> all = List.copyOf(meter.waiting);
            meter.waiting.clear();
            waiting -= all.size();
            all.forEach(this::route);
        }
    }

    void reached(Request request, int attempt) {
        if (isMeant(request, attempt, State.ON_ITS_WAY)) {
            Replica replica = at(request);
            if (replica.running < world.model(request.model).slots()) {
                start(request, replica);
            } else {
                request.state = State.QUEUED;
                replica.queue.add(request);
                world.events.schedule(request.deadline, new Event.GivenUp(request, attempt));
            }
        }
    }

    private static boolean isMeant(Request request, int attempt, State state) {
        return request.attempt == attempt && request.state == state;
    }

    private static Replica at(Request request) {
        Replica replica = request.replica;
        if (replica == null) {
            throw new IllegalStateException("a request in " + request.state + " has no replica");
        }
        return replica;
    }

    private void start(Request request, Replica replica) {
        request.state = State.PREFILL;
        replica.running++;
        Scenario.Model model = world.model(request.model);
        // In double, because a token may take less than a microsecond.
        double perToken = model.prefillPerToken().toNanos() / 1e3;
        long prefill = Moments.micros(model.firstToken())
                + Math.round((request.promptTokens + (long) request.emitted) * perToken);
        world.events.schedule(world.now() + prefill, new Event.Prefilled(request, request.attempt));
    }

    void prefilled(Request request, int attempt) {
        if (!isMeant(request, attempt, State.PREFILL)) {
            return;
        }
        request.state = State.DECODE;
        request.emitted++;
        request.decodesSince = world.now();
        double perSecond = world.model(request.model).tokensPerSecond();
        meter(request).decodes(world.now(), perSecond);
        if (!request.hasFirstToken) {
            request.hasFirstToken = true;
            long rtt = world.rtt(request.region, at(request).node.region);
            world.tally.firstToken(request, world.now() + rtt - rtt / 2);
        }
        long rest = Math.round((request.outputTokens - request.emitted) * Moments.SECOND / perSecond);
        world.events.schedule(world.now() + rest, new Event.Finished(request, attempt));
    }

    void finished(Request request, int attempt) {
        if (isMeant(request, attempt, State.DECODE)) {
            Replica replica = at(request);
            request.emitted = request.outputTokens;
            pause(request);
            end(request, State.SERVED);
            replica.running--;
            leave(request, replica);
            startNext(replica);
        }
    }

    private void pause(Request request) {
        meter(request).pauses(world.now(), world.model(request.model).tokensPerSecond());
    }

    private void end(Request request, State state) {
        request.state = state;
        open--;
        meter(request).ended(world.now());
        world.tally.ended(request);
    }

    private void leave(Request request, Replica replica) {
        request.replica = null;
        replica.requests.remove(request);
        hosting.left(replica);
    }

    private void startNext(Replica replica) {
        Request next = replica.queue.poll();
        if (next != null) {
            start(next, replica);
        }
    }

    void givenUp(Request request, int attempt) {
        if (isMeant(request, attempt, State.WAITING)) {
            waiting--;
            meter(request).waiting.remove(request);
            end(request, State.FAILED);
        } else if (isMeant(request, attempt, State.QUEUED)) {
            Replica replica = at(request);
            replica.queue.remove(request);
            end(request, State.FAILED);
            leave(request, replica);
        }
    }

    /** Its node has failed; what its user has, its next attempt does not generate again. */
    void interrupted(Request request) {
        if (request.state == State.DECODE) {
            double perSecond = world.model(request.model).tokensPerSecond();
            double more = Math.floor((world.now() - request.decodesSince) * perSecond / Moments.SECOND);
            request.emitted = (int) Math.min(request.outputTokens - 1.0, request.emitted + more);
            pause(request);
        }
        if (request.hasFirstToken) {
            request.deadline = world.now() + timeout();
        }
        request.state = State.ON_ITS_WAY;
        request.replica = null;
        request.attempt++;
        long failover = Moments.micros(world.scenario.timing().failoverAfter());
        world.events.schedule(world.now() + failover, new Event.Resent(request, request.attempt));
    }

    void resent(Request request, int attempt) {
        if (isMeant(request, attempt, State.ON_ITS_WAY)) {
            route(request);
        }
    }
}

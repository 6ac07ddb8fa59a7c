package dev.meridian.bench.soak;

import dev.meridian.bench.load.Connection;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Deque;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedDeque;
import org.jspecify.annotations.Nullable;

/** Sends requests, each from a virtual thread that blocks, over connections that are used again. Thread-safe. */
final class Clients implements AutoCloseable {
    /** Below the server's idle timeout, so that it closes none that is about to be used. */
    private static final long MOST_IDLE_NANOS = 30_000_000_000L;

    private static final Duration SILENCE = Duration.ofMinutes(2);

    private final InetSocketAddress api;
    private final Traffic traffic;
    private final Tally tally;
    private final ReplyCheck check;
    private final Deque<Idle> idle = new ConcurrentLinkedDeque<>();

    private record Idle(Connection connection, long sinceNanos) {}

    Clients(InetSocketAddress api, Traffic traffic, Tally tally, ReplyCheck check) {
        this.api = api;
        this.traffic = traffic;
        this.tally = tally;
        this.check = check;
    }

    /** Sends one request and counts what becomes of it. Blocks; throws nothing. */
    void run(SoakRequest request) {
        tally.started.increment();
        ReplyReader reply = new ReplyReader(request.kind().isStreamed());
        Connection connection = null;
        boolean again = false;
        try {
            connection = connect();
            again = connection.exchange(
                    "POST", request.kind().path, traffic.body(request), reply, () -> leaves(request, reply));
            count(request, reply);
        } catch (IOException e) {
            tally.failed.increment();
            tally.problem(request, e.toString());
        } finally {
            if (connection != null) {
                giveBack(connection, again);
            }
        }
    }

    private static boolean leaves(SoakRequest request, ReplyReader reply) {
        return request.leaveAfter() > 0 && reply.events() >= request.leaveAfter();
    }

    private void count(SoakRequest request, ReplyReader reply) {
        if (reply.error() != null) {
            boolean refused = reply.status() == 429 || reply.status() == 503;
            (refused ? tally.refused : tally.failed).increment();
            if (!refused) {
                tally.problem(request, "status " + reply.status() + ", " + reply.error());
            }
            return;
        }
        check.difference(request, reply).ifPresent(where -> {
            tally.differing.increment();
            tally.problem(request, where);
        });
        if (!reply.isComplete() && leaves(request, reply)) {
            tally.left.increment();
            tally.tokens.add(reply.events());
            return;
        }
        Optional<String> fault = check.complete(request, reply);
        if (fault.isPresent()) {
            tally.wrong.increment();
            tally.problem(request, fault.get());
        } else {
            tally.completed.increment();
            tally.tokens.add(reply.completionTokens());
        }
    }

    private Connection connect() throws IOException {
        for (@Nullable Idle next = idle.pollLast(); next != null; next = idle.pollLast()) {
            if (System.nanoTime() - next.sinceNanos() < MOST_IDLE_NANOS) {
                return next.connection();
            }
            next.connection().close();
        }
        return new Connection(api, SILENCE);
    }

    private void giveBack(Connection connection, boolean again) {
        if (again) {
            idle.addLast(new Idle(connection, System.nanoTime()));
        } else {
            connection.close();
        }
    }

    @Override
    public void close() {
        idle.forEach(one -> one.connection().close());
        idle.clear();
    }
}

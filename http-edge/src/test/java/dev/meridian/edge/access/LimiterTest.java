package dev.meridian.edge.access;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class LimiterTest {
    private long nanos = 17;
    private final Limiter limiter = new Limiter(() -> nanos);

    private static Caller caller(int requests, int tokens, int concurrent) {
        return new Caller.Keyed(Keys.limited("k", "k", requests, tokens, concurrent));
    }

    private static Limiter.Lease granted(Limiter.Answer answer) {
        assertThat(answer).isInstanceOf(Limiter.Granted.class);
        return ((Limiter.Granted) answer).lease();
    }

    private static Limiter.Exceeded exceeded(Limiter.Answer answer) {
        assertThat(answer).isInstanceOf(Limiter.Exceeded.class);
        return (Limiter.Exceeded) answer;
    }

    @Test
    void requestsPassAtTheirRateAndTheAdviceIsExact() {
        Caller twice = caller(2, 0, 0);
        assertThat(granted(limiter.start(twice)).quotas()).containsExactly(new Limiter.Quota("requests", 2, 1, 30_000));
        granted(limiter.start(twice));
        assertThat(exceeded(limiter.start(twice)).retryAfterSeconds()).isEqualTo(30);
        nanos += TimeUnit.SECONDS.toNanos(29);
        assertThat(exceeded(limiter.start(twice)).retryAfterSeconds()).isEqualTo(1);
        nanos += TimeUnit.SECONDS.toNanos(1);
        granted(limiter.start(twice));
    }

    @Test
    void tokensAreSettledAtTheEndAndDebtIsWaitedOff() {
        Caller caller = caller(0, 60, 0);
        Limiter.Lease lease = granted(limiter.start(caller));
        granted(limiter.start(caller)).settle(0);
        lease.settle(90);
        lease.settle(1000);
        Limiter.Exceeded exceeded = exceeded(limiter.start(caller));
        assertThat(exceeded.what()).isEqualTo("60 tokens per minute");
        assertThat(exceeded.retryAfterSeconds()).isEqualTo(31);
        assertThat(exceeded.quotas()).containsExactly(new Limiter.Quota("tokens", 60, 0, 90_000));
        nanos += TimeUnit.SECONDS.toNanos(31);
        granted(limiter.start(caller));
    }

    @Test
    void repliesAtATimeAreFreedWhenTheyEnd() {
        Caller caller = caller(0, 0, 1);
        Limiter.Lease lease = granted(limiter.start(caller));
        assertThat(exceeded(limiter.start(caller)).what()).isEqualTo("1 replies at a time");
        lease.settle(5);
        lease.settle(5);
        granted(limiter.start(caller));
        assertThat(limiter.start(caller)).isInstanceOf(Limiter.Exceeded.class);
    }

    @Test
    void aKeyThatIsGoneIsForgottenOnceItsRepliesAreOver() {
        Caller caller = caller(1, 0, 0);
        Limiter.Lease lease = granted(limiter.start(caller));
        limiter.keepOnly(List.of());
        exceeded(limiter.start(caller));
        lease.settle(0);
        limiter.keepOnly(List.of());
        granted(limiter.start(caller));
    }

    @Test
    void whoHasNoKeyHasNoLimit() {
        for (int i = 0; i < 1000; i++) {
            granted(limiter.start(new Caller.Local()));
        }
    }

    /** Against a plain model: whatever comes, no window of time lets more pass than burst and rate allow. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void noScheduleGetsMoreThanItsRate(long seed) {
        Random random = new Random(seed);
        int requests = 1 + random.nextInt(20);
        int tokens = 10 + random.nextInt(500);
        int concurrent = 1 + random.nextInt(4);
        Caller caller = caller(requests, tokens, concurrent);
        Queue<Limiter.Lease> running = new ArrayDeque<>();
        long start = nanos;
        long passed = 0;
        long spent = 0;
        for (int i = 0; i < 2000; i++) {
            double minutes = (nanos - start) / 60e9;
            double left = tokens + tokens * minutes - spent;
            switch (limiter.start(caller)) {
                case Limiter.Granted(Limiter.Lease lease) -> {
                    running.add(lease);
                    passed++;
                    assertThat(running.size()).as("seed %d", seed).isLessThanOrEqualTo(concurrent);
                    assertThat(passed).as("seed %d", seed).isLessThanOrEqualTo((long)
                            (requests * (1 + minutes) + 1e-6));
                    assertThat(left).as("seed %d", seed).isGreaterThanOrEqualTo(1 - 1e-6);
                }
                case Limiter.Exceeded exceeded
                when running.isEmpty() && random.nextInt(3) == 0 -> {
                    nanos += TimeUnit.SECONDS.toNanos(exceeded.retryAfterSeconds());
                    running.add(granted(limiter.start(caller)));
                    passed++;
                }
                case Limiter.Exceeded _ -> {}
            }
            if (!running.isEmpty() && random.nextBoolean()) {
                int took = random.nextInt(tokens);
                running.remove().settle(took);
                spent += took;
            }
            nanos += random.nextLong(TimeUnit.SECONDS.toNanos(3));
        }
        assertThat(passed).isPositive();
    }
}

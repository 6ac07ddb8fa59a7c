package dev.meridian.edge.access;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What each key may use: requests and tokens per minute as token buckets that hold one minute's worth and fill evenly, and
 * replies at a time. Nobody knows beforehand how many tokens a reply takes, so a request passes while any are left, and
 * what it took is settled when it is over, even below zero: the debt is waited off. Thread-safe; it has no clock but the
 * one that it is given.
 */
public final class Limiter {
    private static final double NANOS_PER_MINUTE = 60e9;

    private final LongSupplier nanoClock;
    private final Map<String, Account> accounts = new HashMap<>();

    /** @param nanoClock like {@link System#nanoTime} */
    public Limiter(LongSupplier nanoClock) {
        this.nanoClock = nanoClock;
    }

    /** What came of a request to start. */
    public sealed interface Answer {}

    /** It may; the lease must be settled once. */
    public record Granted(Lease lease) implements Answer {}

    /**
     * It may not.
     *
     * @param what which limit, for people
     * @param retryAfterSeconds after which it may if nobody else asks; 1 where only another reply's end helps
     */
    public record Exceeded(String what, int retryAfterSeconds, List<Quota> quotas) implements Answer {}

    /**
     * Where a key stands with one of its limits.
     *
     * @param name {@code requests} or {@code tokens}
     * @param resetMillis until the bucket is full again
     */
    public record Quota(String name, int limit, long remaining, long resetMillis) {}

    /** Fills with {@code capacity} a minute up to {@code capacity}; 0 is no bound. */
    private static final class Bucket {
        private double level;
        private long filledAtNanos;

        Bucket(int capacity, long now) {
            level = capacity;
            filledAtNanos = now;
        }

        void fill(int capacity, long now) {
            long passed = Math.max(0, now - filledAtNanos);
            level = Math.min(capacity, level + capacity * (passed / NANOS_PER_MINUTE));
            filledAtNanos = now;
        }

        /** 0 when there is one, or no bound. */
        int secondsUntilOne(int capacity) {
            return capacity == 0 || level >= 1
                    ? 0
                    : (int) Math.min(Integer.MAX_VALUE, Math.ceil((1 - level) * 60 / capacity));
        }

        Quota quota(String name, int capacity) {
            long reset = (long) Math.ceil((capacity - level) * 60_000 / capacity);
            return new Quota(name, capacity, Math.max(0, (long) Math.floor(level)), reset);
        }
    }

    private static final class Account {
        final Bucket requests;
        final Bucket tokens;
        int running;

        Account(ApiKey key, long now) {
            requests = new Bucket(key.requestsPerMinute(), now);
            tokens = new Bucket(key.tokensPerMinute(), now);
        }
    }

    /** One reply that counts against its key. */
    public final class Lease {
        private final @Nullable Account account;
        private final boolean countsTokens;
        private final List<Quota> quotas;
        private boolean settled;

        private Lease(@Nullable Account account, boolean countsTokens, List<Quota> quotas) {
            this.account = account;
            this.countsTokens = countsTokens;
            this.quotas = quotas;
        }

        /** As they stood when it began. */
        public List<Quota> quotas() {
            return quotas;
        }

        /** It is over, however it ended, and took this many tokens of prompt and reply. Only the first call counts. */
        public void settle(long tokens) {
            synchronized (Limiter.this) {
                if (!settled && account != null) {
                    account.running--;
                    account.tokens.level -= countsTokens ? tokens : 0;
                }
                settled = true;
            }
        }
    }

    /** Whether {@code caller} may start a reply now; one without a key always may. */
    public synchronized Answer start(Caller caller) {
        return switch (caller) {
            case Caller.Local _ -> new Granted(new Lease(null, false, List.of()));
            case Caller.Keyed(ApiKey key) -> start(key);
        };
    }

    private Answer start(ApiKey key) {
        long now = nanoClock.getAsLong();
        Account account = accounts.computeIfAbsent(key.sha256(), _ -> new Account(key, now));
        account.requests.fill(key.requestsPerMinute(), now);
        account.tokens.fill(key.tokensPerMinute(), now);
        if (key.concurrent() > 0 && account.running >= key.concurrent()) {
            return new Exceeded(key.concurrent() + " replies at a time", 1, quotas(key, account));
        }
        int requestsIn = account.requests.secondsUntilOne(key.requestsPerMinute());
        int tokensIn = account.tokens.secondsUntilOne(key.tokensPerMinute());
        if (requestsIn > 0 || tokensIn > 0) {
            String what = requestsIn > 0
                    ? key.requestsPerMinute() + " requests per minute"
                    : key.tokensPerMinute() + " tokens per minute";
            return new Exceeded(what, Math.max(requestsIn, tokensIn), quotas(key, account));
        }
        account.running++;
        if (key.requestsPerMinute() > 0) {
            account.requests.level -= 1;
        }
        return new Granted(new Lease(account, key.tokensPerMinute() > 0, quotas(key, account)));
    }

    private static List<Quota> quotas(ApiKey key, Account account) {
        List<Quota> quotas = new ArrayList<>();
        if (key.requestsPerMinute() > 0) {
            quotas.add(account.requests.quota("requests", key.requestsPerMinute()));
        }
        if (key.tokensPerMinute() > 0) {
            quotas.add(account.tokens.quota("tokens", key.tokensPerMinute()));
        }
        return List.copyOf(quotas);
    }

    /** Forgets keys that are gone, once nothing of theirs runs. */
    public synchronized void keepOnly(List<ApiKey> keys) {
        Set<String> known = keys.stream().map(ApiKey::sha256).collect(Collectors.toSet());
        accounts.entrySet().removeIf(entry -> entry.getValue().running == 0 && !known.contains(entry.getKey()));
    }
}

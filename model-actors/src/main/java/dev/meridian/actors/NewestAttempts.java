package dev.meridian.actors;

import dev.meridian.protocol.Attempt;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Predicate;

/**
 * The newest attempt of each request that was seen, so that one that arrives late or twice is refused. Beyond a bound the
 * requests that were looked up longest ago are forgotten. Owned by the host actor.
 */
final class NewestAttempts {
    private final Map<String, Integer> numbers;

    /** {@code alive} requests are not forgotten. */
    NewestAttempts(int most, Predicate<String> alive) {
        numbers = new LinkedHashMap<>(16, 0.75f, true) {
            @Override
            protected boolean removeEldestEntry(Map.Entry<String, Integer> eldest) {
                return size() > most && !alive.test(eldest.getKey());
            }
        };
    }

    /** Whether this attempt, or a later one of its request, was seen. */
    boolean hasSeen(Attempt attempt) {
        return numbers.getOrDefault(attempt.requestId(), 0) >= attempt.number();
    }

    void see(Attempt attempt) {
        numbers.put(attempt.requestId(), attempt.number());
    }
}

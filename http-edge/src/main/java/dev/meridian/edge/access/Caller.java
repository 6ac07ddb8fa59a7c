package dev.meridian.edge.access;

import dev.meridian.protocol.cluster.Residency;

/** Who sent a request, once the gate has let it in. */
public sealed interface Caller {
    /** Someone on this machine, where no key is asked for. */
    record Local() implements Caller {}

    record Keyed(ApiKey key) implements Caller {}

    /** The same for all requests of one key, and of nobody else. */
    default String identity() {
        return switch (this) {
            case Local _ -> "local";
            case Keyed(ApiKey key) -> key.sha256();
        };
    }

    /** Where the words of its requests may be. */
    default Residency residency() {
        return switch (this) {
            case Local _ -> Residency.ANYWHERE;
            case Keyed(ApiKey key) -> key.residency();
        };
    }

    /** Whether this caller may use a model, or see that it is there. */
    default boolean mayUse(String model) {
        return switch (this) {
            case Local _ -> true;
            case Keyed(ApiKey key) -> key.mayUse(model);
        };
    }
}

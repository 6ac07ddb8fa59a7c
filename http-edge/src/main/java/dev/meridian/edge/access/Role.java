package dev.meridian.edge.access;

import java.util.Locale;

/** What a key opens: the client port alone, or both ports. */
public enum Role {
    CLIENT,
    ADMIN;

    /** Whether a key of this role passes where {@code needed} is asked for. */
    boolean covers(Role needed) {
        return this == ADMIN || this == needed;
    }

    /** As the key file and messages write it. */
    public String wireName() {
        return name().toLowerCase(Locale.ROOT);
    }

    static Role of(String wireName) {
        for (Role role : values()) {
            if (role.wireName().equals(wireName)) {
                return role;
            }
        }
        throw new IllegalArgumentException("role must be client or admin");
    }
}

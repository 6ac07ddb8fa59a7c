package dev.meridian.edge.access;

import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * Which pages may call the server. A pattern is an origin as browsers write it ({@code https://app.example}), one with
 * any port or none ({@code http://localhost:*}), or {@code *} for all. Pure.
 */
public final class OriginCheck {
    private static final String ANY_PORT = ":*";
    private static final Pattern PATTERN =
            Pattern.compile("\\*|[a-z][a-z0-9+.-]*://(\\[[0-9a-fA-F:.]+]|[^\\s/?#:*@\\[\\]]+)(:\\d{1,5}|:\\*)?|null");
    private static final Pattern PORT = Pattern.compile("(:\\d{1,5})?");

    private final List<String> patterns;

    /** @throws IllegalArgumentException naming a pattern that is none */
    public OriginCheck(List<String> patterns) {
        for (String pattern : patterns) {
            if (!PATTERN.matcher(pattern).matches()) {
                throw new IllegalArgumentException("cors-origins '" + pattern
                        + "' is neither \"*\" nor an origin like https://app.example or http://localhost:*");
            }
        }
        this.patterns = patterns.stream().map(p -> p.toLowerCase(Locale.ROOT)).toList();
    }

    public boolean allowsAll() {
        return patterns.contains("*");
    }

    public boolean allows(String origin) {
        String lower = origin.toLowerCase(Locale.ROOT);
        return allowsAll() || patterns.stream().anyMatch(pattern -> matches(pattern, lower));
    }

    private static boolean matches(String pattern, String origin) {
        if (!pattern.endsWith(ANY_PORT)) {
            return pattern.equals(origin);
        }
        String start = pattern.substring(0, pattern.length() - ANY_PORT.length());
        return origin.startsWith(start)
                && PORT.matcher(origin.substring(start.length())).matches();
    }
}

package dev.meridian.edge.access;

import java.net.InetAddress;
import java.util.List;
import java.util.Locale;

/**
 * Which names the server answers to. A page that rebinds its own name to 127.0.0.1 sends that name as Host, and so is
 * told from a client of this machine. Pure.
 */
public final class HostCheck {
    private final List<String> allowed;

    /** @param allowed names or literal addresses besides the loopback's, without ports */
    public HostCheck(List<String> allowed) {
        this.allowed = allowed.stream().map(HostCheck::plain).toList();
    }

    /**
     * Whether the server answers to this name.
     *
     * @param host without its port; brackets and a final dot do not matter
     */
    public boolean allows(String host) {
        String plain = plain(host);
        return plain.equals("localhost")
                || plain.endsWith(".localhost")
                || isLoopbackLiteral(plain)
                || allowed.contains(plain);
    }

    private static boolean isLoopbackLiteral(String host) {
        // Only what consists of an address' characters: a name is not looked up, here or anywhere.
        if (host.isEmpty() || !host.chars().allMatch(c -> Character.digit(c, 16) >= 0 || c == '.' || c == ':')) {
            return false;
        }
        try {
            return InetAddress.ofLiteral(host).isLoopbackAddress();
        } catch (IllegalArgumentException _) {
            return false;
        }
    }

    private static String plain(String host) {
        String lower = host.toLowerCase(Locale.ROOT);
        if (lower.startsWith("[") && lower.endsWith("]")) {
            return lower.substring(1, lower.length() - 1);
        }
        return lower.endsWith(".") ? lower.substring(0, lower.length() - 1) : lower;
    }
}

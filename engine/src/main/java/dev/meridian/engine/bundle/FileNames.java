package dev.meridian.engine.bundle;

/** What names of files inside a bundle may look like: one component of a path, on every system. */
final class FileNames {
    private static final int MAX_CHARS = 200;

    private FileNames() {}

    /** Whether a name can only mean a file directly inside a folder. */
    static boolean isPlain(String name) {
        return !name.isEmpty()
                && name.length() <= MAX_CHARS
                && !name.startsWith(".")
                && name.chars().noneMatch(c -> c < ' ' || c == 0x7f || "/\\:*?\"<>|".indexOf(c) >= 0);
    }

    /** A name as a fault may show it: no control characters, not long. */
    static String shown(String name) {
        String cut = name.length() > MAX_CHARS ? name.substring(0, MAX_CHARS) + "..." : name;
        return cut.replaceAll("\\p{Cntrl}", "?");
    }
}

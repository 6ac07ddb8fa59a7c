package dev.meridian.bench.load;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What {@code /proc} says of a process.
 *
 * @param bytes resident
 * @param ownBytes resident and not of a file
 */
public record ProcessMemory(long bytes, long ownBytes) {
    /** Empty where there is no {@code /proc}. */
    public static Optional<ProcessMemory> of(long pid) throws IOException {
        Path status = Path.of("/proc", Long.toString(pid), "status");
        if (!Files.isReadable(status)) {
            return Optional.empty();
        }
        List<String> lines = Files.readAllLines(status);
        return Optional.of(new ProcessMemory(kilobytes(lines, "VmRSS:") * 1024, kilobytes(lines, "RssAnon:") * 1024));
    }

    private static long kilobytes(List<String> lines, String key) {
        return lines.stream()
                .filter(line -> line.startsWith(key))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                .findFirst()
                .orElse(0);
    }
}

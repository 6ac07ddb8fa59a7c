package dev.meridian.builder;

import dev.meridian.engine.bundle.Bundle;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/** SHA-256 of files, with progress. */
final class Digests {
    private static final int BUFFER_BYTES = 1 << 18;

    private Digests() {}

    /** One file: its plain name, length and SHA-256 in hexadecimal. */
    record Entry(String name, long bytes, String sha256) {}

    static List<Entry> of(List<Path> files, ProgressListener.Phase phase, ProgressListener listener)
            throws IOException {
        long total = 0;
        for (Path file : files) {
            total += Files.size(file);
        }
        List<Entry> entries = new ArrayList<>();
        byte[] buffer = new byte[BUFFER_BYTES];
        long done = 0;
        for (Path file : files) {
            MessageDigest digest = Bundle.newSha256();
            long bytes = 0;
            try (InputStream in = Files.newInputStream(file)) {
                for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                    digest.update(buffer, 0, n);
                    bytes += n;
                    listener.progress(phase, done + bytes, Math.max(total, done + bytes));
                    if (Thread.currentThread().isInterrupted()) {
                        throw new InterruptedIOException("import interrupted");
                    }
                }
            }
            done += bytes;
            entries.add(new Entry(
                    file.getFileName().toString(), bytes, HexFormat.of().formatHex(digest.digest())));
        }
        listener.progress(phase, done, done);
        return entries;
    }

    /** One digest over the names and digests of many files, in the given order: {@code sha256  name\n} each. */
    static String combined(List<Entry> entries) {
        MessageDigest digest = Bundle.newSha256();
        for (Entry entry : entries) {
            digest.update((entry.sha256() + "  " + entry.name() + "\n").getBytes(StandardCharsets.UTF_8));
        }
        return HexFormat.of().formatHex(digest.digest());
    }
}

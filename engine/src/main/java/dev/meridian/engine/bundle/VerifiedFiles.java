package dev.meridian.engine.bundle;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.time.Clock;
import java.time.Instant;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * SHA-256 of files, remembered by their {@link FileStamp} so that what did not change is not read again. The record is one
 * small file: whoever can write it can make any content pass, and a line that is damaged, or a file that cannot be
 * written, costs time and nothing else. Safe for any thread; of two processes that write at once one line may be lost.
 */
public final class VerifiedFiles {
    private static final Logger LOG = LoggerFactory.getLogger(VerifiedFiles.class);
    private static final String HEADER = "meridian-verified-files 1";
    private static final int MAX_LINES = 4096;
    private static final long MAX_BYTES = 1 << 20;
    private static final int CHECK_CHARS = 16;
    private static final int FIELDS = 6;
    /** A file may change twice within one tick of its file system's clock: one this young is not remembered. */
    private static final long SETTLED_NANOS = 2_000_000_000L;

    private final @Nullable Path file;
    private final Clock clock;
    /** Digest by what a line says of the file; the oldest first. */
    private final Map<String, String> known = new LinkedHashMap<>();

    private boolean changed;

    private VerifiedFiles(@Nullable Path file, Clock clock) {
        this.file = file;
        this.clock = clock;
    }

    /** Remembers nothing: every file is read. */
    public static VerifiedFiles none() {
        return new VerifiedFiles(null, Clock.systemUTC());
    }

    /** Reads a record, if there is one. Never throws: without it everything is read again. */
    public static VerifiedFiles at(Path file, Clock clock) {
        VerifiedFiles record = new VerifiedFiles(file, clock);
        try {
            if (Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) && Files.size(file) <= MAX_BYTES) {
                record.read(new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1));
            }
        } catch (IOException e) {
            LOG.warn("{} cannot be read, all files are verified again: {}", file, e.toString());
        }
        return record;
    }

    private void read(String text) {
        String[] lines = text.split("\n", MAX_LINES + 2);
        if (!lines[0].equals(HEADER)) {
            return;
        }
        for (int i = 1; i < Math.min(lines.length, MAX_LINES + 1); i++) {
            int at = lines[i].lastIndexOf(' ');
            if (lines[i].split(" ", -1).length == FIELDS
                    && lines[i].startsWith(check(lines[i].substring(CHECK_CHARS)))) {
                known.put(lines[i].substring(CHECK_CHARS + 1, at), lines[i].substring(at + 1));
            }
        }
    }

    /** Digest of a file whose stamp is {@code stamp}, in hexadecimal. Throws IOException where it changes meanwhile. */
    synchronized String sha256(Path path, FileStamp stamp) throws IOException {
        String key = stamp.key() + " " + stamp.bytes() + " " + stamp.modifiedNanos() + " " + stamp.changedNanos();
        String digest = known.get(key);
        if (digest != null && file != null) {
            return digest;
        }
        digest = read(path);
        if (!FileStamp.of(path).equals(stamp)) {
            throw new IOException("changed while it was read");
        }
        Instant now = clock.instant();
        long nowNanos = now.getEpochSecond() * 1_000_000_000L + now.getNano();
        if (file != null && stamp.newestNanos() < nowNanos - SETTLED_NANOS) {
            known.put(key, digest);
            changed = true;
        }
        return digest;
    }

    private static String read(Path path) throws IOException {
        MessageDigest digest = Bundle.newSha256();
        ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 18);
        try (FileChannel in = FileChannel.open(path, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS)) {
            while (in.read(buffer) >= 0) {
                digest.update(buffer.flip());
                buffer.clear();
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    /** Writes the record anew, if it changed. */
    synchronized void save() {
        if (!changed || file == null) {
            return;
        }
        StringBuilder text = new StringBuilder(HEADER).append('\n');
        known.entrySet().stream().skip(Math.max(0, known.size() - MAX_LINES)).forEach(entry -> {
            String line = " " + entry.getKey() + " " + entry.getValue();
            text.append(check(line)).append(line).append('\n');
        });
        try {
            Path folder = file.toAbsolutePath().getParent();
            Files.createDirectories(folder);
            Path fresh = Files.createTempFile(folder, "." + file.getFileName(), ".tmp");
            try {
                Files.writeString(fresh, text, StandardCharsets.ISO_8859_1);
                Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            } finally {
                Files.deleteIfExists(fresh);
            }
            changed = false;
        } catch (IOException e) {
            LOG.warn("{} cannot be written, files are verified again next time: {}", file, e.toString());
        }
    }

    /** Tells a damaged line from a whole one. */
    private static String check(String line) {
        byte[] digest = Bundle.newSha256().digest(line.getBytes(StandardCharsets.ISO_8859_1));
        return HexFormat.of().formatHex(digest).substring(0, CHECK_CHARS);
    }
}

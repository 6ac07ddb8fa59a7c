package dev.meridian.placement;

import com.fasterxml.jackson.annotation.JsonAutoDetect;
import com.fasterxml.jackson.annotation.PropertyAccessor;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.meridian.protocol.cluster.PinTable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.HexFormat;
import java.util.List;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A region's tables on a node's disk: JSON lines, {@code checksum table}, the newest last. A line is written whole and forced
 * to the disk before anybody acts on it; a line that a crash cut short is not read. Methods block.
 */
public final class PinFile {
    private static final Logger LOG = LoggerFactory.getLogger(PinFile.class);

    /** After so many lines the file is written anew with the newest one. */
    private static final int MAX_LINES = 500;

    /** A file of so many bytes is written anew, too: all of it is read while a node starts. */
    private static final long LONG_BYTES = 8L << 20;

    private static final long MAX_BYTES = 256L << 20;

    private static final int UNKNOWN = -1;

    private final Path path;
    private final int maxLines;
    private final JsonMapper json = JsonMapper.builder()
            .visibility(PropertyAccessor.FIELD, JsonAutoDetect.Visibility.ANY)
            .visibility(PropertyAccessor.IS_GETTER, JsonAutoDetect.Visibility.NONE)
            .visibility(PropertyAccessor.GETTER, JsonAutoDetect.Visibility.NONE)
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .build();
    private int lines = UNKNOWN;

    /** Whether its last line has no end, because somebody was stopped while writing it. */
    private boolean cutShort;

    public PinFile(Path path) {
        this(path, MAX_LINES);
    }

    PinFile(Path path, int maxLines) {
        this.path = path;
        this.maxLines = maxLines;
    }

    /** The newest table that is whole, empty where there is none. Throws IOException where the file cannot be read. */
    public PinTable read(String region) throws IOException {
        PinTable newest = PinTable.empty(region);
        for (String line : lines()) {
            PinTable table = parse(line);
            if (table == null) {
                LOG.warn("{}: a line is damaged and was not read", path);
            } else if (!table.region().equals(region)) {
                throw new IOException(path + " holds the pins of region " + table.region() + ", and this node is in "
                        + region + "; give it another meridian.node.state-dir, or move the file away");
            } else if (table.generation() > newest.generation()) {
                newest = table;
            }
        }
        return newest;
    }

    private List<String> lines() throws IOException {
        long size;
        byte[] bytes;
        try {
            size = Files.size(path);
            bytes = size <= MAX_BYTES ? Files.readAllBytes(path) : new byte[0];
        } catch (NoSuchFileException _) {
            size = 0;
            bytes = new byte[0];
        } catch (IOException e) {
            throw new IOException(path + " cannot be read: " + e, e);
        }
        if (size > MAX_BYTES) {
            throw new IOException(path + " has " + size + " bytes; that is no file of ours");
        }
        String text = new String(bytes, StandardCharsets.UTF_8);
        cutShort = !text.isEmpty() && !text.endsWith("\n");
        return text.lines().toList();
    }

    private @Nullable PinTable parse(String line) {
        int space = line.indexOf(' ');
        if (space < 0 || !line.substring(0, space).equals(checksum(line.substring(space + 1)))) {
            return null;
        }
        try {
            return json.readValue(line.substring(space + 1), PinTable.class);
        } catch (JsonProcessingException e) {
            LOG.warn("{}: a line is whole and unreadable: {}", path, e.getOriginalMessage());
            return null;
        }
    }

    /** Returns once the table is on the disk. Where it throws, what was there before still is. */
    public void append(PinTable table) throws IOException {
        String text = json.writeValueAsString(table);
        String line = checksum(text) + " " + text + "\n";
        Files.createDirectories(path.toAbsolutePath().getParent());
        if (lines == UNKNOWN) {
            lines = lines().size();
        }
        int before = lines;
        lines = UNKNOWN; // Until the line is whole.
        if (before >= maxLines || (before > 0 && Files.size(path) > LONG_BYTES)) {
            Path fresh = path.resolveSibling(path.getFileName() + ".new");
            Files.deleteIfExists(fresh);
            write(fresh, line);
            Files.move(fresh, path, StandardCopyOption.ATOMIC_MOVE);
            lines = 1;
        } else {
            write(path, cutShort ? "\n" + line : line);
            lines = before + 1;
        }
        cutShort = false;
    }

    private static void write(Path file, String text) throws IOException {
        try (ByteChannel channel = Files.newByteChannel(
                file, StandardOpenOption.CREATE, StandardOpenOption.APPEND, StandardOpenOption.DSYNC)) {
            ByteBuffer buffer = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
            while (buffer.hasRemaining()) {
                channel.write(buffer);
            }
        }
    }

    private static String checksum(String text) {
        CRC32C sum = new CRC32C();
        sum.update(text.getBytes(StandardCharsets.UTF_8));
        return HexFormat.of().toHexDigits(sum.getValue(), 8);
    }
}

package dev.meridian.placement;

import com.fasterxml.jackson.annotation.JsonAutoDetect;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.meridian.protocol.cluster.PinTable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.HexFormat;
import java.util.List;
import java.util.zip.CRC32C;
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

    private static final long MAX_BYTES = 256L << 20;

    private final Path path;
    private final JsonMapper json = JsonMapper.builder()
            .visibility(com.fasterxml.jackson.annotation.PropertyAccessor.FIELD, JsonAutoDetect.Visibility.ANY)
            .visibility(com.fasterxml.jackson.annotation.PropertyAccessor.IS_GETTER, JsonAutoDetect.Visibility.NONE)
            .visibility(com.fasterxml.jackson.annotation.PropertyAccessor.GETTER, JsonAutoDetect.Visibility.NONE)
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .build();
    private int lines;

    public PinFile(Path path) {
        this.path = path;
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
        try {
            if (Files.size(path) > MAX_BYTES) {
                throw new IOException(path + " has " + Files.size(path) + " bytes; that is no file of ours");
            }
            List<String> read = new String(Files.readAllBytes(path), StandardCharsets.UTF_8)
                    .lines()
                    .toList();
            lines = read.size();
            return read;
        } catch (NoSuchFileException _) {
            return List.of();
        }
    }

    private @org.jspecify.annotations.Nullable PinTable parse(String line) {
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

    /** Returns once the table is on the disk. */
    public void append(PinTable table) throws IOException {
        String text = json.writeValueAsString(table);
        byte[] line = (checksum(text) + " " + text + "\n").getBytes(StandardCharsets.UTF_8);
        Files.createDirectories(path.toAbsolutePath().getParent());
        if (lines >= MAX_LINES) {
            Path fresh = path.resolveSibling(path.getFileName() + ".new");
            Files.deleteIfExists(fresh);
            write(fresh, line);
            Files.move(fresh, path, StandardCopyOption.ATOMIC_MOVE);
            lines = 1;
        } else {
            write(path, line);
            lines++;
        }
    }

    private static void write(Path file, byte[] line) throws IOException {
        try (var channel = Files.newByteChannel(
                file, StandardOpenOption.CREATE, StandardOpenOption.APPEND, StandardOpenOption.DSYNC)) {
            java.nio.ByteBuffer buffer = java.nio.ByteBuffer.wrap(line);
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

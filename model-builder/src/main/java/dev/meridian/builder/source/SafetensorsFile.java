package dev.meridian.builder.source;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One safetensors file, open for reading: 8 bytes of header length, a JSON header, then the tensors' bytes. The
 * header is checked whole when the file is opened. Any thread may read. Format: the safetensors README, "Format".
 */
final class SafetensorsFile implements AutoCloseable {
    /** As a tree on the heap it takes some fifteen times as much; the headers of the largest models have 2 MB. */
    private static final long MAX_HEADER_BYTES = 16L << 20;

    private static final int MAX_RANK = 8;

    private final Path path;
    private final FileChannel channel;
    private final Map<String, StoredTensor> tensors;

    private SafetensorsFile(Path path, FileChannel channel, Map<String, StoredTensor> tensors) {
        this.path = path;
        this.channel = channel;
        this.tensors = tensors;
    }

    /**
     * Where a tensor lies.
     *
     * @param type as the header names it: a type that cannot be read is refused only where the tensor is needed
     * @param offset of the first byte, from the start of the file
     */
    record StoredTensor(String name, String type, List<Long> shape, long offset, long bytes) {}

    static SafetensorsFile open(Path path) throws ImportException, IOException {
        FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
        try {
            return new SafetensorsFile(path, channel, header(path, channel));
        } catch (ImportException | IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    Path path() {
        return path;
    }

    Map<String, StoredTensor> tensors() {
        return tensors;
    }

    /** Fills {@code into} from its position to its limit with the bytes at {@code offset} of the file. */
    void read(long offset, ByteBuffer into) throws IOException {
        readFully(path, channel, offset, into);
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }

    private static Map<String, StoredTensor> header(Path path, FileChannel channel)
            throws ImportException, IOException {
        long fileBytes = channel.size();
        if (fileBytes < 8) {
            throw new ImportException(path + ": " + fileBytes + " bytes are too few for a safetensors file");
        }
        ByteBuffer prefix = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
        readFully(path, channel, 0, prefix);
        long headerBytes = prefix.flip().getLong();
        if (headerBytes < 2 || headerBytes > fileBytes - 8) {
            throw new ImportException(
                    path + ": header of " + headerBytes + " bytes does not fit into a file of " + fileBytes);
        }
        if (headerBytes > MAX_HEADER_BYTES) {
            throw new ImportException(
                    path + ": header of " + headerBytes + " bytes is larger than " + MAX_HEADER_BYTES);
        }
        ByteBuffer json = ByteBuffer.allocate((int) headerBytes);
        readFully(path, channel, 8, json);
        JsonNode root;
        try {
            root = JsonFiles.JSON.readTree(json.array());
        } catch (JsonProcessingException e) {
            throw new ImportException(path + ": header is not valid JSON: " + e.getOriginalMessage(), e);
        }
        if (!root.isObject()) {
            throw new ImportException(path + ": header is not a JSON object");
        }
        Map<String, StoredTensor> tensors = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> entry : root.properties()) {
            if (!entry.getKey().equals("__metadata__")) {
                tensors.put(entry.getKey(), tensor(path, entry.getKey(), entry.getValue(), 8 + headerBytes, fileBytes));
            }
        }
        refuseOverlapAndGaps(path, tensors, 8 + headerBytes, fileBytes);
        return tensors;
    }

    private static StoredTensor tensor(Path path, String name, JsonNode node, long dataStart, long fileBytes)
            throws ImportException {
        String where = path + ": tensor " + name;
        JsonNode offsets = node.path("data_offsets");
        JsonNode shape = node.path("shape");
        if (!node.path("dtype").isTextual()
                || !shape.isArray()
                || shape.size() > MAX_RANK
                || offsets.size() != 2
                || !offsets.valueStream().allMatch(JsonNode::canConvertToLong)
                || !shape.valueStream().allMatch(d -> d.canConvertToLong() && d.asLong() >= 0)) {
            throw new ImportException(where + ": header entry needs dtype, a shape of at most " + MAX_RANK
                    + " dimensions, and two data_offsets");
        }
        long begin = offsets.path(0).asLong();
        long end = offsets.path(1).asLong();
        if (begin < 0 || end < begin || end > fileBytes - dataStart) {
            throw new ImportException(where + ": data_offsets [" + begin + ", " + end
                    + "] lie outside the file, which has " + (fileBytes - dataStart) + " bytes of data");
        }
        List<Long> dims = shape.valueStream().map(JsonNode::asLong).toList();
        String type = node.path("dtype").asText();
        var known = ElementType.of(type);
        if (known.isPresent()) {
            long expected = bytes(where, dims, known.get().bytes);
            if (expected != end - begin) {
                throw new ImportException(where + ": " + type + " of shape " + dims + " takes " + expected
                        + " bytes, data_offsets span " + (end - begin));
            }
        }
        return new StoredTensor(name, type, dims, dataStart + begin, end - begin);
    }

    private static long bytes(String where, List<Long> dims, int elementBytes) throws ImportException {
        try {
            long bytes = elementBytes;
            for (long dim : dims) {
                bytes = Math.multiplyExact(bytes, dim);
            }
            return bytes;
        } catch (ArithmeticException e) {
            throw new ImportException(where + ": shape " + dims + " is too large", e);
        }
    }

    /** The format wants every byte of the data in exactly one tensor: what lies between could be anything. */
    private static void refuseOverlapAndGaps(
            Path path, Map<String, StoredTensor> tensors, long dataStart, long fileBytes) throws ImportException {
        List<StoredTensor> byOffset = new ArrayList<>(tensors.values());
        byOffset.removeIf(t -> t.bytes() == 0);
        byOffset.sort(Comparator.comparingLong(StoredTensor::offset));
        String before = "the header";
        long end = dataStart;
        for (StoredTensor tensor : byOffset) {
            if (tensor.offset() < end) {
                throw new ImportException(path + ": tensors " + before + " and " + tensor.name() + " overlap");
            }
            if (tensor.offset() > end) {
                throw new ImportException(path + ": " + (tensor.offset() - end) + " bytes between " + before + " and "
                        + tensor.name() + " belong to no tensor");
            }
            before = tensor.name();
            end = tensor.offset() + tensor.bytes();
        }
        if (end != fileBytes) {
            throw new ImportException(path + ": " + (fileBytes - end) + " bytes at the end belong to no tensor");
        }
    }

    private static void readFully(Path path, FileChannel channel, long offset, ByteBuffer into) throws IOException {
        long at = offset;
        while (into.hasRemaining()) {
            int n = channel.read(into, at);
            if (n < 0) {
                throw new EOFException(path + ": ends at byte " + at);
            }
            at += n;
        }
    }
}

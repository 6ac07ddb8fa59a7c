package dev.meridian.builder.source;

import com.fasterxml.jackson.databind.JsonNode;
import dev.meridian.builder.source.SafetensorsFile.StoredTensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * All tensors of a model folder: {@code model.safetensors}, or the shards that {@code model.safetensors.index.json}
 * names. Any thread may read; values come as float32 whatever the file's type.
 */
public final class Checkpoint implements AutoCloseable {
    public static final String SINGLE_FILE = "model.safetensors";
    public static final String INDEX_FILE = "model.safetensors.index.json";

    private final Path folder;
    private final List<SafetensorsFile> files = new ArrayList<>();
    private final Map<String, Located> tensors = new TreeMap<>();

    private Checkpoint(Path folder) {
        this.folder = folder;
    }

    private record Located(SafetensorsFile file, StoredTensor tensor) {}

    public static Checkpoint open(Path folder) throws ImportException, IOException {
        Checkpoint checkpoint = new Checkpoint(folder);
        try {
            if (Files.exists(folder.resolve(INDEX_FILE))) {
                checkpoint.addShards();
            } else if (Files.exists(folder.resolve(SINGLE_FILE))) {
                checkpoint.add(folder.resolve(SINGLE_FILE));
            } else {
                boolean pickled = Files.exists(folder.resolve("pytorch_model.bin"));
                throw new ImportException(folder + ": neither " + SINGLE_FILE + " nor " + INDEX_FILE + " is there"
                        + (pickled ? "; pytorch_model.bin is not read, convert it to safetensors" : ""));
            }
            return checkpoint;
        } catch (ImportException | IOException | RuntimeException e) {
            checkpoint.close();
            throw e;
        }
    }

    public Path folder() {
        return folder;
    }

    public boolean has(String tensor) {
        return tensors.containsKey(tensor);
    }

    /** Names of all tensors, sorted. */
    public Set<String> names() {
        return tensors.keySet();
    }

    /** The safetensors files, in the order of their names. */
    public List<Path> paths() {
        return files.stream().map(SafetensorsFile::path).sorted().toList();
    }

    /** Refuses a tensor that is missing, has another shape, or a type that is not F32, F16 or BF16. */
    public void require(String name, List<Long> shape) throws ImportException {
        Located located = tensors.get(name);
        if (located == null) {
            throw new ImportException(folder + ": tensor " + name + " is missing");
        }
        String where = located.file().path() + ": tensor " + name;
        if (ElementType.of(located.tensor().type()).isEmpty()) {
            throw new ImportException(
                    where + " has type " + located.tensor().type() + ", which is not supported; F32, F16 and BF16 are");
        }
        if (!located.tensor().shape().equals(shape)) {
            throw new ImportException(
                    where + " has shape " + located.tensor().shape() + ", config.json calls for " + shape);
        }
    }

    /** Bytes of scratch that reading {@code count} elements takes. */
    public static int scratchBytes(int count) {
        return Math.multiplyExact(count, Float.BYTES);
    }

    /**
     * Reads elements {@code first} to {@code first + count - 1} of a tensor, counted in row-major order, as float32.
     * Refuses infinities and NaN. {@code scratch} is a buffer of at least {@link #scratchBytes} that only this call
     * uses.
     */
    public void read(String name, long first, int count, float[] into, int at, ByteBuffer scratch)
            throws ImportException, IOException {
        Located located = tensors.get(name);
        if (located == null) {
            throw new ImportException(folder + ": tensor " + name + " is missing");
        }
        ElementType type = ElementType.of(located.tensor().type()).orElseThrow();
        scratch.clear().limit(count * type.bytes);
        located.file().read(located.tensor().offset() + first * type.bytes, scratch);
        scratch.flip().order(ByteOrder.LITTLE_ENDIAN);
        switch (type) {
            case F32 -> scratch.asFloatBuffer().get(into, at, count);
            case F16 -> {
                short[] halves = shorts(scratch, count);
                for (int i = 0; i < count; i++) {
                    into[at + i] = Float.float16ToFloat(halves[i]);
                }
            }
            case BF16 -> {
                short[] halves = shorts(scratch, count);
                for (int i = 0; i < count; i++) {
                    into[at + i] = Float.intBitsToFloat(halves[i] << 16);
                }
            }
        }
        refuseNonFinite(located, first, count, into, at);
    }

    @Override
    public void close() throws IOException {
        for (SafetensorsFile file : files) {
            file.close();
        }
    }

    private static short[] shorts(ByteBuffer bytes, int count) {
        short[] halves = new short[count];
        bytes.asShortBuffer().get(halves);
        return halves;
    }

    private static void refuseNonFinite(Located located, long first, int count, float[] values, int at)
            throws ImportException {
        int largest = 0;
        for (int i = at; i < at + count; i++) {
            largest = Math.max(largest, Float.floatToRawIntBits(values[i]) & 0x7fff_ffff);
        }
        if (!Float.isFinite(Float.intBitsToFloat(largest))) {
            throw new ImportException(located.file().path() + ": tensor "
                    + located.tensor().name() + " has a value that is not finite among elements " + first + " to "
                    + (first + count - 1));
        }
    }

    private void addShards() throws ImportException, IOException {
        Path index = folder.resolve(INDEX_FILE);
        JsonNode map = JsonFiles.object(index).path("weight_map");
        if (!map.isObject() || map.isEmpty()) {
            throw new ImportException(index + ": weight_map is missing or empty");
        }
        Map<String, String> shardOf = new HashMap<>();
        Set<String> shards = new HashSet<>();
        for (Map.Entry<String, JsonNode> entry : map.properties()) {
            String shard = entry.getValue().asText();
            if (!shard.endsWith(".safetensors") || shard.contains("/") || shard.contains("\\")) {
                throw new ImportException(index + ": '" + shard + "' is not a plain name of a safetensors file");
            }
            shardOf.put(entry.getKey(), shard);
            shards.add(shard);
        }
        for (String shard : shards.stream().sorted().toList()) {
            if (!Files.isRegularFile(folder.resolve(shard))) {
                throw new ImportException(folder.resolve(shard) + ": no such file, but " + INDEX_FILE + " names it");
            }
            add(folder.resolve(shard));
        }
        for (Map.Entry<String, String> entry : new TreeMap<>(shardOf).entrySet()) {
            Located located = tensors.get(entry.getKey());
            if (located == null || !located.file().path().equals(folder.resolve(entry.getValue()))) {
                throw new ImportException(folder.resolve(entry.getValue()) + ": tensor " + entry.getKey()
                        + " is missing, but " + INDEX_FILE + " says that it is there");
            }
        }
    }

    /**
     * Refuses a link that leads out of the folder, which would import a file that its owner did not mean. Hugging Face's
     * cache is made of links to the folder {@code blobs} beside its snapshots; those are meant.
     */
    private void requireInside(Path path) throws ImportException, IOException {
        Path real = path.toRealPath();
        Path home = folder.toRealPath();
        Path blobs = home.resolve("../../blobs").normalize();
        if (!real.startsWith(home) && !real.startsWith(blobs)) {
            throw new ImportException(path + ": a link to " + real + ", outside of the model's folder");
        }
    }

    private void add(Path path) throws ImportException, IOException {
        requireInside(path);
        SafetensorsFile file = SafetensorsFile.open(path);
        files.add(file);
        for (StoredTensor tensor : file.tensors().values()) {
            if (tensors.put(tensor.name(), new Located(file, tensor)) != null) {
                throw new ImportException(path + ": tensor " + tensor.name() + " is in another shard too");
            }
        }
    }
}

package dev.meridian.engine.onnx;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import dev.meridian.engine.ModelRunner;
import dev.meridian.engine.bundle.BundleException;
import dev.meridian.engine.bundle.BundleManifest;
import dev.meridian.engine.bundle.CheckedBundle;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Forward passes of a bundle's {@code model.onnx} on ONNX Runtime's CPU provider. The graph's names: {@code input_ids [B,S]},
 * {@code seqlens_k [B]} (valid positions after the run, minus one), {@code total_sequence_length []}, {@code logit_idx [n]},
 * {@code past.i.key|value} and {@code present.i.key|value}, {@code logits [n, vocabulary]}.
 */
public final class OnnxModelRunner implements ModelRunner {
    private final BundleManifest.ModelShape shape;
    private final RunnerSettings settings;
    private final OrtEnvironment environment = OnnxEnvironment.get();
    private final LoadedGraph graph;
    private final KvMemory kv;
    /** Of the buffers below: closed with the runner, because nobody knows when a garbage collection would free them. */
    private final Arena arena = Arena.ofShared();

    private final LongBuffer ids;
    private final LongBuffer logitRows;
    private final IntBuffer lastPositions;
    private final IntBuffer longest;
    private final FloatBuffer logits;
    private final OnnxTensor longestTensor;
    private final Map<Integer, Feed> decodeFeeds = new HashMap<>();
    private final Map<Integer, Feed> prefillFeeds = new HashMap<>();
    private final IdentityHashMap<KvMemory.Views, Bindings> bindings = new IdentityHashMap<>();
    private boolean closed;

    private OnnxModelRunner(BundleManifest.ModelShape shape, RunnerSettings settings, LoadedGraph graph, KvMemory kv)
            throws OrtException {
        this.shape = shape;
        this.settings = settings;
        this.graph = graph;
        this.kv = kv;
        ids = direct(8L * Math.max(settings.slots(), settings.prefillChunk())).asLongBuffer();
        logitRows = direct(8L * settings.slots()).asLongBuffer();
        lastPositions = direct(4L * settings.slots()).asIntBuffer();
        longest = direct(4).asIntBuffer();
        logits = direct(4L * settings.slots() * shape.vocabSize()).asFloatBuffer();
        longestTensor = OnnxTensor.createTensor(environment, longest, new long[] {});
    }

    /** Loads a bundle's weights. Throws {@link BundleException} where ONNX Runtime refuses the graph or memory is short. */
    public static OnnxModelRunner open(CheckedBundle checked, RunnerSettings settings) {
        BundleManifest.ModelShape shape = checked.manifest().shape();
        LoadedGraph graph = null;
        KvMemory kv = null;
        try {
            graph = LoadedGraph.stock(checked, settings);
            kv = new KvMemory(
                    KvLayout.floats(shape), settings.slots() + settings.keptSlots(), settings.contextTokens());
            return new OnnxModelRunner(shape, settings, graph, kv);
        } catch (OrtException | RuntimeException e) {
            closeAll(graph, kv);
            throw new BundleException(checked.bundle().folder() + ": " + e.getMessage(), e);
        }
    }

    /** The session first, because it may hold views of the KV memory. */
    static void closeAll(@Nullable LoadedGraph graph, @Nullable KvMemory kv) {
        try {
            if (graph != null) {
                graph.close();
            }
        } finally {
            if (kv != null) {
                kv.close();
            }
        }
    }

    private ByteBuffer direct(long bytes) {
        return arena.allocate(bytes, Long.BYTES).asByteBuffer().order(ByteOrder.nativeOrder());
    }

    @Override
    public int vocabSize() {
        return shape.vocabSize();
    }

    @Override
    public int slots() {
        return settings.slots();
    }

    @Override
    public int keptSlots() {
        return settings.keptSlots();
    }

    @Override
    public boolean copiesSlots() {
        return true;
    }

    @Override
    public int contextTokens() {
        return settings.contextTokens();
    }

    @Override
    public long kvBytes(int tokens) {
        return kv.bytes(tokens);
    }

    @Override
    public void prefill(int slot, int position, int[] tokens, int offset, int count, boolean wantLogits) {
        check(slot >= 0 && slot < slots() + keptSlots(), "slot", slot);
        check(count >= 1 && count <= settings.prefillChunk(), "count", count);
        check(position >= 0 && position + count <= contextTokens(), "position", position);
        for (int i = 0; i < count; i++) {
            ids.put(i, tokens[offset + i]);
        }
        lastPositions.put(0, position + count - 1);
        longest.put(0, position + count);
        // The graph always runs its head: one row costs less than a second graph without it.
        logitRows.put(0, count - 1);
        run(prefillFeeds.computeIfAbsent(count, n -> feed(1, n)), slot, 1);
    }

    @Override
    public void decode(int rows, int[] tokens, int[] positions) {
        check(rows >= 1 && rows <= slots(), "rows", rows);
        int most = 0;
        for (int row = 0; row < rows; row++) {
            check(positions[row] >= 0 && positions[row] < contextTokens(), "position", positions[row]);
            ids.put(row, tokens[row]);
            lastPositions.put(row, positions[row]);
            logitRows.put(row, row);
            most = Math.max(most, positions[row] + 1);
        }
        longest.put(0, most);
        run(decodeFeeds.computeIfAbsent(rows, n -> feed(n, 1)), 0, rows);
    }

    private void run(Feed feed, int slot, int rows) {
        try {
            Bindings bound = bindings.computeIfAbsent(kv.views(environment, slot, rows), Bindings::of);
            bound.inputs().putAll(feed.inputs());
            bound.outputs().put("logits", feed.logits());
            graph.session().run(bound.inputs(), Set.of(), bound.outputs(), null).close();
        } catch (OrtException e) {
            throw new IllegalStateException("the forward pass failed: " + e.getMessage(), e);
        }
    }

    /** Tensors over the shared buffers for {@code batch} sequences of {@code count} tokens; made once for each shape. */
    private Feed feed(int batch, int count) {
        try {
            Map<String, OnnxTensor> inputs = new HashMap<>();
            inputs.put(
                    "input_ids",
                    OnnxTensor.createTensor(environment, ids.slice(0, batch * count), new long[] {batch, count}));
            inputs.put(
                    "seqlens_k",
                    OnnxTensor.createTensor(environment, lastPositions.slice(0, batch), new long[] {batch}));
            inputs.put(
                    "logit_idx", OnnxTensor.createTensor(environment, logitRows.slice(0, batch), new long[] {batch}));
            inputs.put("total_sequence_length", longestTensor);
            OnnxTensor out = OnnxTensor.createTensor(
                    environment, logits.slice(0, batch * shape.vocabSize()), new long[] {batch, shape.vocabSize()});
            return new Feed(inputs, out);
        } catch (OrtException e) {
            throw new IllegalStateException("tensors over our own buffers: " + e.getMessage(), e);
        }
    }

    @Override
    public void logits(int row, float[] into) {
        logits.get(row * shape.vocabSize(), into, 0, shape.vocabSize());
    }

    @Override
    public void moveSlot(int from, int to, int tokens) {
        kv.move(from, to, tokens);
    }

    @Override
    public void swapSlots(int first, int firstTokens, int second, int secondTokens) {
        kv.swap(first, firstTokens, second, secondTokens);
    }

    @Override
    public void releaseSlot(int slot, int tokens) {
        kv.release(slot, tokens);
    }

    @Override
    public void copySlot(int from, int to, int tokens) {
        kv.copy(from, to, tokens);
    }

    @Override
    public void shrinkSlot(int slot, int tokens, int kept) {
        kv.shrink(slot, tokens, kept);
    }

    /** A second call does nothing. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        closeAll(graph, kv);
        for (Map<Integer, Feed> feeds : List.of(decodeFeeds, prefillFeeds)) {
            feeds.values().forEach(Feed::close);
        }
        longestTensor.close();
        arena.close();
    }

    private static void check(boolean holds, String name, int value) {
        if (!holds) {
            throw new IllegalArgumentException(name + " " + value + " is out of range");
        }
    }

    /**
     * A pass's inputs and outputs by the graph's names, kept for each place of the KV memory: of one pass to the next only the
     * feed changes, under the same names.
     */
    private record Bindings(Map<String, OnnxTensor> inputs, Map<String, OnnxTensor> outputs) {
        static Bindings of(KvMemory.Views views) {
            return new Bindings(new HashMap<>(views.past()), new HashMap<>(views.present()));
        }
    }

    private record Feed(Map<String, OnnxTensor> inputs, OnnxTensor logits) {
        void close() {
            inputs.forEach((name, tensor) -> {
                if (!name.equals("total_sequence_length")) {
                    tensor.close();
                }
            });
            logits.close();
        }
    }
}

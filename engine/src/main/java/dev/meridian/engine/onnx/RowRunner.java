package dev.meridian.engine.onnx;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import dev.meridian.engine.ModelRunner;
import dev.meridian.engine.Rows;
import dev.meridian.engine.bundle.BundleException;
import dev.meridian.engine.bundle.BundleManifest;
import dev.meridian.engine.bundle.CheckedBundle;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * Forward passes of a packed bundle's {@code kernels.onnx}: rows of any sequences in one pass, and what a row gives depends
 * on its own sequence alone, to the bit. The graph's names: {@code input_ids [1,S]}, {@code slots [S]}, {@code positions
 * [S]}, {@code logit_idx [n]}, {@code past.i.key|value} and {@code present.i.key|value}, {@code logits [n, vocabulary]}.
 */
final class RowRunner implements ModelRunner {
    private final BundleManifest.ModelShape shape;
    private final RunnerSettings settings;
    private final OrtEnvironment environment = OnnxEnvironment.get();
    private final LoadedGraph graph;
    private final KvMemory kv;
    private final Rows rows;
    private final Arena arena = Arena.ofShared();
    private final LongBuffer ids;
    private final IntBuffer slots;
    private final IntBuffer positions;
    private final LongBuffer wanted;
    /** One row of float32 for each wanted row, committed as they are used. */
    private final LazyMemory logits;

    private final Map<String, OnnxTensor> inputs;
    private final Map<String, OnnxTensor> outputs;
    /** By the number of rows, and of wanted ones. */
    private final Map<Integer, RowTensors> rowTensors = new HashMap<>();

    private final Map<Integer, WantedTensors> wantedTensors = new HashMap<>();
    private boolean closed;

    private RowRunner(BundleManifest.ModelShape shape, RunnerSettings settings, LoadedGraph graph, KvMemory kv)
            throws OrtException {
        this.shape = shape;
        this.settings = settings;
        this.graph = graph;
        this.kv = kv;
        rows = Rows.ofEngine(settings.slots(), settings.prefillChunk());
        ids = direct(8L * rows.most()).asLongBuffer();
        slots = direct(4L * rows.most()).asIntBuffer();
        positions = direct(4L * rows.most()).asIntBuffer();
        wanted = direct(8L * rows.mostWanted()).asLongBuffer();
        KvMemory.Views views = kv.views(environment, 0, allSlots());
        inputs = new HashMap<>(views.past());
        outputs = new HashMap<>(views.present());
        logits = LazyMemory.map(rowBytes() * rows.mostWanted());
    }

    private int allSlots() {
        return settings.slots() + settings.keptSlots();
    }

    /** Maps a bundle's weights. Throws {@link BundleException} where ONNX Runtime refuses the graph or memory is short. */
    static RowRunner open(CheckedBundle checked, RunnerSettings settings) {
        BundleManifest.ModelShape shape = checked.manifest().shape();
        LoadedGraph graph = null;
        KvMemory kv = null;
        try {
            graph = LoadedGraph.kernels(checked, settings);
            kv = new KvMemory(
                    KvLayout.halves(shape), settings.slots() + settings.keptSlots(), settings.contextTokens());
            return new RowRunner(shape, settings, graph, kv);
        } catch (OrtException | RuntimeException e) {
            OnnxModelRunner.closeAll(graph, kv);
            throw new BundleException(checked.bundle().folder() + ": " + e.getMessage(), e);
        }
    }

    private ByteBuffer direct(long bytes) {
        return arena.allocate(bytes, Long.BYTES).asByteBuffer().order(ByteOrder.nativeOrder());
    }

    private long rowBytes() {
        return (long) shape.vocabSize() * Float.BYTES;
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
        rows.clear();
        for (int i = 0; i < count; i++) {
            rows.add(slot, position + i, tokens[offset + i]);
        }
        if (wantLogits) {
            rows.want();
        }
        run(rows);
    }

    @Override
    public void decode(int count, int[] tokens, int[] at) {
        rows.clear();
        for (int row = 0; row < count; row++) {
            rows.add(row, at[row], tokens[row]);
            rows.want();
        }
        run(rows);
    }

    @Override
    public boolean runsRows() {
        return true;
    }

    @Override
    public void run(Rows pass) {
        if (pass.count() == 0) {
            throw new IllegalArgumentException("a pass without rows");
        }
        for (int row = 0; row < pass.count(); row++) {
            check(pass.slot(row) >= 0 && pass.slot(row) < allSlots(), "slot", pass.slot(row));
            check(pass.position(row) >= 0 && pass.position(row) < contextTokens(), "position", pass.position(row));
            ids.put(row, pass.token(row));
            slots.put(row, pass.slot(row));
            positions.put(row, pass.position(row));
        }
        for (int i = 0; i < pass.wantedCount(); i++) {
            wanted.put(i, pass.wanted(i));
        }
        try {
            RowTensors byRow = rowTensors.get(pass.count());
            if (byRow == null) {
                byRow = rowTensors(pass.count());
                rowTensors.put(pass.count(), byRow);
            }
            WantedTensors byWanted = wantedTensors.get(pass.wantedCount());
            if (byWanted == null) {
                byWanted = wantedTensors(pass.wantedCount());
                wantedTensors.put(pass.wantedCount(), byWanted);
            }
            inputs.put("input_ids", byRow.ids());
            inputs.put("slots", byRow.slots());
            inputs.put("positions", byRow.positions());
            inputs.put("logit_idx", byWanted.rows());
            outputs.put("logits", byWanted.logits());
            graph.session().run(inputs, Set.of(), outputs, null).close();
        } catch (OrtException e) {
            throw new IllegalStateException("the forward pass failed: " + e.getMessage(), e);
        }
    }

    private static void check(boolean holds, String name, int value) {
        if (!holds) {
            throw new IllegalArgumentException(name + " " + value + " is out of range");
        }
    }

    private RowTensors rowTensors(int count) throws OrtException {
        return new RowTensors(
                OnnxTensor.createTensor(environment, ids.slice(0, count), new long[] {1, count}),
                OnnxTensor.createTensor(environment, slots.slice(0, count), new long[] {count}),
                OnnxTensor.createTensor(environment, positions.slice(0, count), new long[] {count}));
    }

    private WantedTensors wantedTensors(int count) throws OrtException {
        MemorySegment part = logits.segment().asSlice(0, count * rowBytes());
        return new WantedTensors(
                OnnxTensor.createTensor(environment, wanted.slice(0, count), new long[] {count}),
                OnnxTensor.createTensor(
                        environment,
                        part.asByteBuffer().order(ByteOrder.nativeOrder()).asFloatBuffer(),
                        new long[] {count, shape.vocabSize()}));
    }

    @Override
    public void logits(int row, float[] into) {
        MemorySegment.copy(logits.segment(), ValueLayout.JAVA_FLOAT, row * rowBytes(), into, 0, shape.vocabSize());
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
        OnnxModelRunner.closeAll(graph, kv);
        rowTensors.values().forEach(RowTensors::close);
        wantedTensors.values().forEach(WantedTensors::close);
        logits.close();
        arena.close();
    }

    private record RowTensors(OnnxTensor ids, OnnxTensor slots, OnnxTensor positions) {
        void close() {
            ids.close();
            slots.close();
            positions.close();
        }
    }

    private record WantedTensors(OnnxTensor rows, OnnxTensor logits) {
        void close() {
            rows.close();
            logits.close();
        }
    }
}

package dev.meridian.engine.onnx;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import dev.meridian.engine.ModelRunner;
import dev.meridian.engine.bundle.BundleException;
import dev.meridian.engine.bundle.BundleManifest;
import dev.meridian.engine.bundle.BundleManifest.ModelShape;
import dev.meridian.engine.bundle.CheckedBundle;
import dev.meridian.engine.bundle.GraphLayout;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Forward passes of a ready-made decoder ({@link GraphLayout}) on ONNX Runtime's CPU provider. A pass runs one sequence,
 * so a decode step is as many passes as it has rows: exports have no way to say that the rows of a batch hold different
 * numbers of positions, but for padding, which costs as much. A slot holds the caches that its last pass gave; the next
 * pass takes them, and they are freed once it has given new ones. ONNX Runtime works without its arena here, which would
 * keep the memory of every length that a cache ever had.
 */
final class PastPresentRunner implements ModelRunner {
    /** Two tokens tell a graph that gives every row's logits from one that gives the last row's. */
    private static final int PROBE_TOKENS = 2;

    private final GraphLayout layout;
    private final ModelShape shape;
    private final RunnerSettings settings;
    private final OrtEnvironment environment = OnnxEnvironment.get();
    private final Opened opened;
    private final PastPresentSignature signature;
    private final long kvBytesPerToken;
    private final Set<String> presentNames;
    private final IntegerInput ids;
    private final @Nullable IntegerInput mask;
    private final @Nullable IntegerInput positions;
    private final boolean lastRowOnly;
    private final int mostTokens;
    private final LogitsBuffer passLogits;
    private final float[] logits;
    private final @Nullable Cache[] slots;
    private boolean closed;

    /** The options are kept open as long as the session, which may hold what they loaded. */
    private record Opened(OrtSession session, OrtSession.SessionOptions options) {
        void close() {
            try {
                session.close();
                options.close();
            } catch (OrtException e) {
                throw new IllegalStateException("the session could not be closed: " + e.getMessage(), e);
            }
        }
    }

    /** What a slot holds: the present caches of its last pass, in memory that ONNX Runtime allocated for them. */
    private record Cache(OrtSession.Result present, int tokens) {}

    private PastPresentRunner(BundleManifest manifest, GraphLayout layout, RunnerSettings settings, Opened opened)
            throws OrtException {
        this.layout = layout;
        shape = manifest.shape();
        this.settings = settings;
        this.opened = opened;
        OrtSession session = opened.session();
        signature = PastPresentSignature.read(layout, session.getInputInfo(), session.getOutputInfo());
        kvBytesPerToken = manifest.memory().kvBytesPerToken();
        presentNames = new HashSet<>(layout.present());
        int chunk = Math.max(PROBE_TOKENS, settings.prefillChunk());
        ids = new IntegerInput(signature.ids(), chunk);
        positions = signature.positions() == null ? null : new IntegerInput(signature.positions(), chunk);
        mask = signature.mask() == null ? null : new IntegerInput(signature.mask(), settings.contextTokens());
        if (mask != null) {
            for (int i = 0; i < settings.contextTokens(); i++) {
                mask.set(i, 1);
            }
        }
        lastRowOnly = probe() == 1;
        mostTokens = lastRowOnly
                ? settings.prefillChunk()
                : Math.min(settings.prefillChunk(), LogitsBuffer.rowsThatFit(signature.logits(), shape.vocabSize()));
        logits = new float[Math.multiplyExact(settings.slots(), shape.vocabSize())];
        slots = new Cache[settings.slots()];
        passLogits = new LogitsBuffer(signature.logits(), shape.vocabSize(), lastRowOnly ? 1 : mostTokens);
    }

    /** Loads the weights and runs two tokens. Throws {@link BundleException} where the graph is not what it should be. */
    static PastPresentRunner open(CheckedBundle checked, GraphLayout layout, RunnerSettings settings) {
        Opened opened = null;
        try {
            opened = openSession(checked, settings);
            return new PastPresentRunner(checked.manifest(), layout, settings, opened);
        } catch (OrtException | RuntimeException e) {
            if (opened != null) {
                opened.close();
            }
            throw new BundleException(checked.bundle().folder() + ": " + e.getMessage(), e);
        }
    }

    private static Opened openSession(CheckedBundle checked, RunnerSettings settings) throws OrtException {
        OrtSession.SessionOptions options = LoadedGraph.sessionOptions(settings);
        try {
            options.setCPUArenaAllocator(false);
            options.setMemoryPatternOptimization(false);
            return new Opened(LoadedGraph.session(checked, BundleManifest.MODEL_FILE, options), options);
        } catch (OrtException e) {
            options.close();
            throw e;
        }
    }

    /** Runs two tokens after nothing and checks all that comes out; returns for how many rows there are logits. */
    private int probe() throws OrtException {
        for (int i = 0; i < PROBE_TOKENS; i++) {
            setToken(i, 0, i);
        }
        Set<String> all = new HashSet<>(presentNames);
        all.add(layout.logits());
        Map<String, OnnxTensor> inputs = inputs(null, 0, PROBE_TOKENS);
        try (OrtSession.Result result = opened.session().run(inputs, all)) {
            for (String name : layout.present()) {
                require(name, dims(result, name), signature.cacheDims(shape, PROBE_TOKENS));
            }
            long[] given = dims(result, layout.logits());
            int rows = given.length == 3 ? (int) given[1] : 0;
            require(layout.logits(), given, new long[] {1, rows == 1 ? 1 : PROBE_TOKENS, shape.vocabSize()});
            return rows;
        } finally {
            inputs.values().forEach(OnnxTensor::close);
        }
    }

    private static void require(String name, long[] given, long[] expected) {
        if (!Arrays.equals(given, expected)) {
            throw new BundleException("after " + PROBE_TOKENS + " tokens " + name + " is of shape "
                    + Arrays.toString(given) + ", expected " + Arrays.toString(expected));
        }
    }

    private static long[] dims(OrtSession.Result result, String name) throws OrtException {
        return ((TensorInfo) output(result, name).getInfo()).getShape();
    }

    private static OnnxValue output(OrtSession.Result result, String name) {
        return result.get(name).orElseThrow(() -> new IllegalStateException("the pass gave no " + name));
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
    public int contextTokens() {
        return settings.contextTokens();
    }

    /** Exactly what the caches hold: there are no pages here. */
    @Override
    public long kvBytes(int tokens) {
        return tokens * kvBytesPerToken;
    }

    @Override
    public void prefill(int slot, int position, int[] tokens, int offset, int count, boolean wantLogits) {
        check(slot >= 0 && slot < slots(), "slot", slot);
        check(count >= 1 && count <= settings.prefillChunk(), "count", count);
        check(position >= 0 && position + count <= contextTokens(), "position", position);
        for (int done = 0; done < count; done += mostTokens) {
            int part = Math.min(mostTokens, count - done);
            for (int i = 0; i < part; i++) {
                setToken(i, tokens[offset + done + i], position + done + i);
            }
            pass(slot, position + done, part);
        }
        if (wantLogits) {
            int last = lastRowOnly ? 0 : (count - 1) % mostTokens;
            passLogits.copyRow(last, logits, 0);
        }
    }

    @Override
    public void decode(int rows, int[] tokens, int[] positions) {
        check(rows >= 1 && rows <= slots(), "rows", rows);
        for (int row = 0; row < rows; row++) {
            check(positions[row] >= 0 && positions[row] < contextTokens(), "position", positions[row]);
            setToken(0, tokens[row], positions[row]);
            pass(row, positions[row], 1);
            passLogits.copyRow(0, logits, row * shape.vocabSize());
        }
    }

    private void setToken(int index, int token, int position) {
        ids.set(index, token);
        if (positions != null) {
            positions.set(index, position);
        }
    }

    /** Runs the tokens that were set after the {@code past} ones of a slot. */
    private void pass(int slot, int past, int count) {
        Cache before = slots[slot];
        if (past != (before == null ? 0 : before.tokens())) {
            throw new IllegalStateException(
                    "slot " + slot + " holds " + (before == null ? 0 : before.tokens()) + " tokens, not " + past);
        }
        Map<String, OnnxTensor> inputs = Map.of();
        slots[slot] = null;
        try (OnnxTensor out = passLogits.tensor(environment, lastRowOnly ? 1 : count)) {
            inputs = inputs(before, past, count);
            OrtSession.Result present = opened.session().run(inputs, presentNames, Map.of(layout.logits(), out), null);
            slots[slot] = new Cache(present, past + count);
        } catch (OrtException e) {
            throw new IllegalStateException("the forward pass failed: " + e.getMessage(), e);
        } finally {
            // The caches that went in are among them.
            inputs.values().forEach(OnnxTensor::close);
        }
    }

    private Map<String, OnnxTensor> inputs(@Nullable Cache before, int past, int count) throws OrtException {
        Map<String, OnnxTensor> inputs = new HashMap<>();
        inputs.put(layout.inputIds(), ids.tensor(environment, count));
        if (mask != null && layout.attentionMask() != null) {
            inputs.put(layout.attentionMask(), mask.tensor(environment, past + count));
        }
        if (positions != null && layout.positionIds() != null) {
            inputs.put(layout.positionIds(), positions.tensor(environment, count));
        }
        List<String> names = layout.past();
        for (int i = 0; i < names.size(); i++) {
            inputs.put(
                    names.get(i),
                    before == null
                            ? nothing()
                            : (OnnxTensor)
                                    output(before.present(), layout.present().get(i)));
        }
        return inputs;
    }

    /** A cache without positions. */
    private OnnxTensor nothing() throws OrtException {
        return OnnxTensor.createTensor(
                environment, ByteBuffer.allocateDirect(0), signature.cacheDims(shape, 0), signature.cache());
    }

    @Override
    public void logits(int row, float[] into) {
        System.arraycopy(logits, row * shape.vocabSize(), into, 0, shape.vocabSize());
    }

    @Override
    public void moveSlot(int from, int to, int tokens) {
        Cache moved = slots[from];
        if (moved == null || moved.tokens() != tokens || slots[to] != null) {
            throw new IllegalStateException(
                    "slot " + from + " does not hold " + tokens + " tokens, or slot " + to + " holds some");
        }
        slots[to] = moved;
        slots[from] = null;
    }

    @Override
    public void swapSlots(int first, int firstTokens, int second, int secondTokens) {
        requireTokens(first, firstTokens);
        requireTokens(second, secondTokens);
        Cache held = slots[first];
        slots[first] = slots[second];
        slots[second] = held;
    }

    private void requireTokens(int slot, int tokens) {
        Cache held = slots[slot];
        if (tokens != (held == null ? 0 : held.tokens())) {
            throw new IllegalStateException("slot " + slot + " does not hold " + tokens + " tokens");
        }
    }

    @Override
    public void releaseSlot(int slot, int tokens) {
        requireTokens(slot, tokens);
        Cache held = slots[slot];
        if (held != null) {
            held.present().close();
            slots[slot] = null;
        }
    }

    /** A second call does nothing. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        for (Cache cache : slots) {
            if (cache != null) {
                cache.present().close();
            }
        }
        opened.close();
        passLogits.close();
    }

    private static void check(boolean holds, String name, int value) {
        if (!holds) {
            throw new IllegalArgumentException(name + " " + value + " is out of range");
        }
    }
}

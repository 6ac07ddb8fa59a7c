package dev.meridian.engine.onnx;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import dev.meridian.engine.bundle.BundleException;
import dev.meridian.engine.bundle.BundleManifest.ModelShape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The KV caches of all slots: for each layer one slab of keys and one of values, {@code [slot, kvHead, position, dim]} as a
 * {@link KvLayout} says. Slabs are mapped without being committed: a page costs memory from its first use until it is
 * released. Each head's positions start on a page, so a slot is released exactly. Owned by one runner; used by its engine
 * thread.
 */
final class KvMemory implements AutoCloseable {
    private static final long MAX_SLAB_BYTES = Integer.MAX_VALUE;

    private final KvLayout layout;
    private final int kvHeads;
    private final int positions;
    private final long headStride;
    private final long slotStride;
    private final List<LazyMemory> slabs = new ArrayList<>();
    private final Map<Long, Views> views = new HashMap<>();

    /** {@code contextTokens} positions for each of {@code slots}. Throws IllegalArgumentException over 2 GiB a layer. */
    KvMemory(KvLayout layout, int slots, int contextTokens) {
        this.layout = layout;
        kvHeads = layout.shape().kvHeads();
        positions = layout.positions(contextTokens);
        slotStride = layout.slotBytes(contextTokens);
        headStride = slotStride / kvHeads;
        if (slotStride * slots > MAX_SLAB_BYTES) {
            throw new IllegalArgumentException(slots + " slots of " + contextTokens + " tokens need "
                    + slotStride * slots + " bytes of keys per layer, over 2 GiB; lower slots or context");
        }
        try {
            for (int i = 0; i < 2 * layout.shape().layers(); i++) {
                slabs.add(LazyMemory.map(slotStride * slots));
            }
        } catch (BundleException e) {
            slabs.forEach(LazyMemory::close);
            throw e;
        }
    }

    long bytes(int tokens) {
        return layout.bytes(tokens);
    }

    /** Head by head, giving each back before the next is copied: the budget is passed by one head's pages at most. */
    void move(int from, int to, int tokens) {
        long bytes = layout.usedBytes(tokens);
        for (LazyMemory slab : slabs) {
            for (int head = 0; head < kvHeads; head++) {
                long source = from * slotStride + head * headStride;
                long target = to * slotStride + head * headStride;
                slab.commit(target, layout.committedBytes(tokens));
                MemorySegment.copy(slab.segment(), source, slab.segment(), target, bytes);
                slab.release(source, layout.committedBytes(tokens));
            }
        }
    }

    /** Head by head; {@code to} is empty before. */
    void copy(int from, int to, int tokens) {
        long bytes = layout.usedBytes(tokens);
        for (LazyMemory slab : slabs) {
            for (int head = 0; head < kvHeads; head++) {
                long source = from * slotStride + head * headStride;
                long target = to * slotStride + head * headStride;
                slab.commit(target, layout.committedBytes(tokens));
                MemorySegment.copy(slab.segment(), source, slab.segment(), target, bytes);
            }
        }
    }

    /** Gives back what lies behind the first {@code kept} of {@code tokens} positions, but for the page that both share. */
    void shrink(int slot, int tokens, int kept) {
        for (LazyMemory slab : slabs) {
            for (int head = 0; head < kvHeads; head++) {
                releaseTail(slab, slot * slotStride + head * headStride, tokens, kept);
            }
        }
    }

    /** Head by head, over a copy of one head: the budget is passed by one head's pages at most. */
    void swap(int first, int firstTokens, int second, int secondTokens) {
        long firstBytes = layout.usedBytes(firstTokens);
        long secondBytes = layout.usedBytes(secondTokens);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment held = arena.allocate(Math.max(1, firstBytes), Long.BYTES);
            for (LazyMemory slab : slabs) {
                for (int head = 0; head < kvHeads; head++) {
                    long one = first * slotStride + head * headStride;
                    long other = second * slotStride + head * headStride;
                    MemorySegment.copy(slab.segment(), one, held, 0, firstBytes);
                    MemorySegment.copy(slab.segment(), other, slab.segment(), one, secondBytes);
                    MemorySegment.copy(held, 0, slab.segment(), other, firstBytes);
                    releaseTail(slab, one, firstTokens, secondTokens);
                    releaseTail(slab, other, secondTokens, firstTokens);
                }
            }
        }
    }

    /** Gives back the pages of a head that held more tokens than it does now. */
    private void releaseTail(LazyMemory slab, long start, int before, int now) {
        long kept = layout.committedBytes(now);
        long held = layout.committedBytes(before);
        if (held > kept) {
            slab.release(start + kept, held - kept);
        }
    }

    void release(int slot, int tokens) {
        long bytes = layout.committedBytes(tokens);
        for (LazyMemory slab : slabs) {
            for (int head = 0; head < kvHeads; head++) {
                slab.release(slot * slotStride + head * headStride, bytes);
            }
        }
    }

    /** Tensors over {@code rows} slots from {@code slot} on, the same as past and as present: the graph writes in place. */
    Views views(OrtEnvironment environment, int slot, int rows) throws OrtException {
        long key = (long) slot << 32 | rows;
        Views made = views.get(key);
        if (made == null) {
            made = makeViews(environment, slot, rows);
            views.put(key, made);
        }
        return made;
    }

    private Views makeViews(OrtEnvironment environment, int slot, int rows) throws OrtException {
        Map<String, OnnxTensor> past = new LinkedHashMap<>();
        Map<String, OnnxTensor> present = new LinkedHashMap<>();
        ModelShape shape = layout.shape();
        long[] dims = {rows, kvHeads, positions, shape.headDim()};
        OnnxJavaType type = layout.elementBytes() == Float.BYTES ? OnnxJavaType.FLOAT : OnnxJavaType.FLOAT16;
        for (int layer = 0; layer < shape.layers(); layer++) {
            for (int kind = 0; kind < 2; kind++) {
                MemorySegment part =
                        slabs.get(2 * layer + kind).segment().asSlice(slot * slotStride, rows * slotStride);
                OnnxTensor tensor = OnnxTensor.createTensor(
                        environment, part.asByteBuffer().order(ByteOrder.nativeOrder()), dims, type);
                String name = "." + layer + (kind == 0 ? ".key" : ".value");
                past.put("past" + name, tensor);
                present.put("present" + name, tensor);
            }
        }
        return new Views(past, present);
    }

    @Override
    public void close() {
        views.values().forEach(view -> view.past().values().forEach(OnnxTensor::close));
        slabs.forEach(LazyMemory::close);
    }

    /** By the graph's names of its inputs and outputs. */
    record Views(Map<String, OnnxTensor> past, Map<String, OnnxTensor> present) {}
}

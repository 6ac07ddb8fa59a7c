package dev.meridian.engine.onnx;

import dev.meridian.engine.bundle.BundleManifest.ModelShape;

/**
 * How a slot's keys or values of one layer lie in memory, {@code [kvHead, position, dim]}: what {@code tokens} positions take is
 * the front of each head's part. Parts begin on pages, so that a slot can be given back exactly.
 *
 * @param elementBytes bytes of one number
 * @param block positions that are stored together: those of the last block take as much as all of it
 */
record KvLayout(ModelShape shape, int elementBytes, int block) {
    private static final long MAX_SLAB_BYTES = Integer.MAX_VALUE;

    /** Of ONNX Runtime's attention: float32, position by position. */
    static KvLayout floats(ModelShape shape) {
        return new KvLayout(shape, 4, 1);
    }

    /** Of Meridian's own: float16, keys in blocks of 16 positions. */
    static KvLayout halves(ModelShape shape) {
        return new KvLayout(shape, 2, 16);
    }

    /** Positions that a part has room for, where {@code contextTokens} are needed: whole blocks, and whole pages. */
    int positions(int contextTokens) {
        long page = LazyMemory.pageBytes();
        long step = page / gcd(page, (long) shape.headDim() * elementBytes);
        // Pages and their divisors are powers of two, and so are blocks: the larger is a multiple of the smaller.
        long unit = Math.max(step, block);
        return Math.toIntExact((contextTokens + unit - 1) / unit * unit);
    }

    private static long gcd(long a, long b) {
        return b == 0 ? a : gcd(b, a % b);
    }

    /** Bytes of the front of a head's part that {@code tokens} positions lie in. */
    long usedBytes(int tokens) {
        return (tokens + block - 1L) / block * block * shape.headDim() * elementBytes;
    }

    /** What they commit: whole pages. */
    long committedBytes(int tokens) {
        long page = LazyMemory.pageBytes();
        return (usedBytes(tokens) + page - 1) / page * page;
    }

    /** What {@code tokens} positions of a slot commit: for each head, keys and values, of every layer. */
    long bytes(int tokens) {
        return committedBytes(tokens) * shape.kvHeads() * 2 * shape.layers();
    }

    /** Bytes of a slot's keys, or values, of one layer. */
    long slotBytes(int contextTokens) {
        return positions(contextTokens) * (long) shape.headDim() * elementBytes * shape.kvHeads();
    }

    /** How many slots of that context stay within the 2 GiB that one buffer can address; 0 where not even one does. */
    int slotsThatFit(int contextTokens) {
        return (int) (MAX_SLAB_BYTES / slotBytes(contextTokens));
    }
}

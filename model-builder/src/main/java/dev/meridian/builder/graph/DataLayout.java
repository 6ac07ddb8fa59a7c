package dev.meridian.builder.graph;

/** Hands out regions of the external data file, one after the other, aligned so that large ones can be mapped. */
final class DataLayout {
    private static final int PAGE = 4096;
    private static final int LINE = 64;
    private static final long LARGE = 1 << 16;

    private long end;

    Region add(long bytes) {
        int alignment = bytes >= LARGE ? PAGE : LINE;
        long offset = Math.ceilDiv(end, alignment) * alignment;
        end = Math.addExact(offset, bytes);
        return new Region(offset, bytes);
    }

    /** A region that begins on a page, whatever its size. */
    Region addPaged(long bytes) {
        end = Math.ceilDiv(end, PAGE) * PAGE;
        return add(bytes);
    }

    long bytes() {
        return end;
    }
}

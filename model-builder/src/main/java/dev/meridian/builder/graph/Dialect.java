package dev.meridian.builder.graph;

/** How a graph finds its quantised weights, and which operators multiply by them. */
enum Dialect {
    /** As MatMulNBits takes them, and it does; also weights that are not quantised. */
    ROWS,
    /** Packed in panels, which the engine unpacks for MatMulNBits when it loads the graph. */
    STOCK,
    /** Packed in panels, which Meridian's own operators read in place. */
    KERNELS
}

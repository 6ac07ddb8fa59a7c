package dev.meridian.builder.graph;

/** Bytes {@code offset} to {@code offset + bytes - 1} of the external data file. */
public record Region(long offset, long bytes) {}

package dev.meridian.protocol;

/** Where a choice's time went inside the engine, in microseconds: waiting for a slot, prefill, decode. */
public record Timings(long queueMicros, long prefillMicros, long decodeMicros) {}

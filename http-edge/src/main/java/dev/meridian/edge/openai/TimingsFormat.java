package dev.meridian.edge.openai;

import dev.meridian.edge.stream.ReplyTimings;

/** A reply's times in milliseconds, to the microsecond: as a chunk's {@code timings} object and as a header. */
final class TimingsFormat {
    private TimingsFormat() {}

    static void json(JsonBuffer json, ReplyTimings timings) {
        json.raw("{\"queue_ms\":").raw(millis(timings.queueMicros()));
        json.raw(",\"prefill_ms\":").raw(millis(timings.prefillMicros()));
        json.raw(",\"first_token_ms\":").raw(millis(timings.firstTokenMicros()));
        json.raw(",\"decode_ms\":").raw(millis(timings.decodeMicros()));
        json.raw(",\"total_ms\":").raw(millis(timings.totalMicros()));
        json.raw(",\"cold_start\":").raw(Boolean.toString(timings.coldStart())).raw("}");
    }

    /** The value of {@code Server-Timing} (W3C, "Server Timing", section 2). */
    static String header(ReplyTimings timings) {
        return "queue;dur=" + millis(timings.queueMicros())
                + ", prefill;dur=" + millis(timings.prefillMicros())
                + ", first_token;dur=" + millis(timings.firstTokenMicros())
                + ", decode;dur=" + millis(timings.decodeMicros())
                + ", total;dur=" + millis(timings.totalMicros());
    }

    private static String millis(long micros) {
        long fraction = micros % 1000;
        return micros / 1000 + (fraction < 10 ? ".00" : fraction < 100 ? ".0" : ".") + fraction;
    }
}

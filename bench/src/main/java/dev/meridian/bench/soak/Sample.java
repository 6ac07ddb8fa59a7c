package dev.meridian.bench.soak;

import dev.meridian.bench.load.Metrics;
import java.util.List;
import java.util.Locale;

/**
 * The state of node and load at one moment. Counts are since the start of the timed load; what the node's JVM does not tell is
 * NaN.
 *
 * @param seconds since the start of the timed load
 * @param residentBytes of the node's process
 * @param heapAfterYoungBytes heap in use after the newest young collection
 * @param heapAfterFullBytes heap in use after the newest full collection
 * @param directBytes of direct buffers
 * @param openFiles file descriptors of the node
 * @param threads of the node's JVM
 * @param processThreads of the node, native ones included
 * @param journalBytes unread tokens of all clients
 * @param kvBytes of KV caches in use
 * @param queue sequences that wait for a slot
 * @param batch sequences that decode
 * @param streams requests that run
 * @param cpuSeconds of the node since it started
 * @param collected whether a full collection was made just before
 */
record Sample(
        double seconds,
        double residentBytes,
        double heapUsedBytes,
        double heapAfterYoungBytes,
        double heapAfterFullBytes,
        double directBytes,
        double openFiles,
        double threads,
        double processThreads,
        double journalBytes,
        double kvBytes,
        double queue,
        double batch,
        double streams,
        double cpuSeconds,
        boolean collected,
        long completed,
        long left,
        long refused,
        long skipped,
        long failed,
        long wrong,
        long differing,
        long tokens) {
    static final String CSV_HEADER =
            "seconds,residentBytes,heapUsedBytes,heapAfterYoungBytes,heapAfterFullBytes,directBytes,"
                    + "openFiles,threads,processThreads,journalBytes,kvBytes,queue,batch,streams,cpuSeconds,collected,completed,left,"
                    + "refused,skipped,failed,wrong,differing,tokens";

    static final String TABLE_HEADER = String.format(
            "%6s %8s %8s %8s %8s %6s %7s %9s %7s %6s %8s %6s %7s %6s %6s",
            "min",
            "RSS MB",
            "young MB",
            "full MB",
            "dir. MB",
            "files",
            "threads",
            "journal",
            "KV MB",
            "queue",
            "done",
            "left",
            "refused",
            "failed",
            "wrong");

    static Sample of(double seconds, Metrics metrics, boolean collected, Tally tally) {
        return new Sample(
                seconds,
                metrics.sum("process_resident_memory_bytes"),
                metrics.sum("jvm_memory_used_bytes", "area=\"heap\""),
                metrics.sum("meridian_heap_after_collection_bytes", "collection=\"young\""),
                metrics.sum("meridian_heap_after_collection_bytes", "collection=\"full\""),
                metrics.sum("jvm_buffer_memory_used_bytes", "id=\"direct\""),
                metrics.sum("process_files_open_files"),
                metrics.sum("jvm_threads_live_threads"),
                metrics.sum("process_threads"),
                metrics.sum("meridian_journal_bytes"),
                metrics.sum("meridian_kv_bytes"),
                metrics.sum("meridian_queue_length"),
                metrics.sum("meridian_batch_size"),
                metrics.sum("meridian_streams_active"),
                metrics.sum("process_cpu_time_ns_total") / 1e9,
                collected,
                tally.completed.sum(),
                tally.left.sum(),
                tally.refused.sum(),
                tally.skipped.sum(),
                tally.failed.sum(),
                tally.wrong.sum(),
                tally.differing.sum(),
                tally.tokens.sum());
    }

    String csvLine() {
        return String.join(
                ",",
                List.of(
                        String.format(Locale.ROOT, "%.1f", seconds),
                        whole(residentBytes),
                        whole(heapUsedBytes),
                        whole(heapAfterYoungBytes),
                        whole(heapAfterFullBytes),
                        whole(directBytes),
                        whole(openFiles),
                        whole(threads),
                        whole(processThreads),
                        whole(journalBytes),
                        whole(kvBytes),
                        whole(queue),
                        whole(batch),
                        whole(streams),
                        String.format(Locale.ROOT, "%.2f", cpuSeconds),
                        Boolean.toString(collected),
                        Long.toString(completed),
                        Long.toString(left),
                        Long.toString(refused),
                        Long.toString(skipped),
                        Long.toString(failed),
                        Long.toString(wrong),
                        Long.toString(differing),
                        Long.toString(tokens)));
    }

    private static String whole(double value) {
        return Double.isNaN(value) ? "" : String.format(Locale.ROOT, "%.0f", value);
    }

    String tableLine() {
        return String.format(
                Locale.ROOT,
                "%6.1f %8.1f %8.1f %8.1f %8.1f %6.0f %7.0f %9.0f %7.2f %6.0f %8d %6d %7d %6d %6d",
                seconds / 60,
                residentBytes / 1e6,
                heapAfterYoungBytes / 1e6,
                heapAfterFullBytes / 1e6,
                directBytes / 1e6,
                openFiles,
                threads,
                journalBytes,
                kvBytes / 1e6,
                queue,
                completed,
                left,
                refused + skipped,
                failed,
                wrong + differing);
    }
}

package dev.meridian.node;

import com.sun.management.GarbageCollectionNotificationInfo;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.FileDescriptorMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import java.io.IOException;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import javax.management.ListenerNotFoundException;
import javax.management.Notification;
import javax.management.NotificationEmitter;
import javax.management.NotificationListener;
import javax.management.openmbean.CompositeData;

/**
 * What the process and its JVM say of themselves, for {@code /metrics}: memory, garbage collections, direct buffers, threads,
 * file descriptors, CPU. Listens to the JVM's collectors until it is closed. Thread-safe.
 */
final class ProcessMetrics implements AutoCloseable {
    private static final Path STATUS = Path.of("/proc/self/status");

    private final JvmGcMetrics collections = new JvmGcMetrics();
    private final AtomicLong afterYoung = new AtomicLong();
    private final AtomicLong afterFull = new AtomicLong();
    private final Set<String> heapPools = ManagementFactory.getMemoryPoolMXBeans().stream()
            .filter(pool -> pool.getType() == MemoryType.HEAP)
            .map(MemoryPoolMXBean::getName)
            .collect(Collectors.toSet());
    private final NotificationListener listener = this::onNotification;

    private ProcessMetrics() {}

    static ProcessMetrics register(MeterRegistry registry) {
        ProcessMetrics metrics = new ProcessMetrics();
        metrics.collections.bindTo(registry);
        new JvmMemoryMetrics().bindTo(registry);
        new JvmThreadMetrics().bindTo(registry);
        new FileDescriptorMetrics().bindTo(registry);
        new ProcessorMetrics().bindTo(registry);
        heapAfter("young", metrics.afterYoung, registry);
        heapAfter("full", metrics.afterFull, registry);
        if (Files.isReadable(STATUS)) {
            Gauge.builder("process.resident.memory", () -> 1024 * status("VmRSS:"))
                    .description("Resident memory of the process")
                    .baseUnit("bytes")
                    .register(registry);
            Gauge.builder("process.threads", () -> status("Threads:"))
                    .description("Threads of the process, native ones included")
                    .register(registry);
        }
        for (GarbageCollectorMXBean collector : ManagementFactory.getGarbageCollectorMXBeans()) {
            if (collector instanceof NotificationEmitter emitter) {
                emitter.addNotificationListener(metrics.listener, null, null);
            }
        }
        return metrics;
    }

    private static void heapAfter(String collection, AtomicLong bytes, MeterRegistry registry) {
        Gauge.builder("meridian.heap.after.collection", bytes, AtomicLong::get)
                .description("Heap in use after the newest collection of this kind; 0 before the first")
                .baseUnit("bytes")
                .tag("collection", collection)
                .register(registry);
    }

    /** The number of a line of /proc/self/status; NaN where it is missing. */
    private static double status(String key) {
        try {
            for (String line : Files.readAllLines(STATUS)) {
                if (line.startsWith(key)) {
                    return Long.parseLong(line.replaceAll("\\D", ""));
                }
            }
        } catch (IOException _) {
            return Double.NaN;
        }
        return Double.NaN;
    }

    private void onNotification(Notification notification, Object handback) {
        if (!notification.getType().equals(GarbageCollectionNotificationInfo.GARBAGE_COLLECTION_NOTIFICATION)) {
            return;
        }
        GarbageCollectionNotificationInfo info =
                GarbageCollectionNotificationInfo.from((CompositeData) notification.getUserData());
        long used = info.getGcInfo().getMemoryUsageAfterGc().entrySet().stream()
                .filter(pool -> heapPools.contains(pool.getKey()))
                .mapToLong(pool -> pool.getValue().getUsed())
                .sum();
        // The pauses of concurrent cycles ("end of concurrent GC pause") free next to nothing themselves.
        switch (info.getGcAction()) {
            case "end of minor GC" -> afterYoung.set(used);
            case "end of major GC" -> afterFull.set(used);
            default -> {}
        }
    }

    @Override
    public void close() {
        collections.close();
        for (GarbageCollectorMXBean collector : ManagementFactory.getGarbageCollectorMXBeans()) {
            if (collector instanceof NotificationEmitter emitter) {
                try {
                    emitter.removeNotificationListener(listener);
                } catch (ListenerNotFoundException _) {
                    // Closed before.
                }
            }
        }
    }
}

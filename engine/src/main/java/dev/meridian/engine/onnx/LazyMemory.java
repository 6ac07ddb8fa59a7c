package dev.meridian.engine.onnx;

import dev.meridian.engine.bundle.BundleException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * Anonymous memory whose pages are committed when they are first touched. Where {@code mmap} is not to be had (no POSIX) it
 * is plain zeroed memory that is committed at once and returned only by {@link #close}. Not safe for several threads.
 */
final class LazyMemory implements AutoCloseable {

    // Values of Linux and macOS; they differ only in MAP_ANONYMOUS and MAP_NORESERVE.
    private static final boolean WINDOWS = System.getProperty("os.name", "").startsWith("Windows");
    private static final boolean MAC = System.getProperty("os.name", "").startsWith("Mac");
    private static final int PROT_READ_WRITE = 0x1 | 0x2;
    private static final int MAP_PRIVATE_ANONYMOUS_NORESERVE = MAC ? 0x2 | 0x1000 | 0x40 : 0x2 | 0x20 | 0x4000;
    private static final int MADV_DONTNEED = 4;
    /** Linux alone; elsewhere there are no transparent huge pages to refuse. */
    private static final int MADV_NOHUGEPAGE = 15;
    /** Linux from 5.14 on; a kernel that does not know it commits page by page as they are touched. */
    private static final int MADV_POPULATE_WRITE = 23;

    private static final boolean LINUX = System.getProperty("os.name", "").startsWith("Linux");
    private static final long WINDOWS_PAGE_BYTES = 4096;
    private static final long MAP_FAILED = -1L;

    private final MemorySegment segment;
    private final Runnable unmap;
    private final boolean mapped;

    private LazyMemory(MemorySegment segment, Runnable unmap, boolean mapped) {
        this.segment = segment;
        this.unmap = unmap;
        this.mapped = mapped;
    }

    /** What is committed and released at a time. */
    static long pageBytes() {
        return WINDOWS ? WINDOWS_PAGE_BYTES : Posix.PAGE_BYTES;
    }

    /** Zeroed memory of {@code bytes}. Throws BundleException where the system refuses the address space. */
    static LazyMemory map(long bytes) {
        if (WINDOWS) {
            Arena arena = Arena.ofShared();
            return new LazyMemory(arena.allocate(bytes, WINDOWS_PAGE_BYTES), arena::close, false);
        }
        MemorySegment segment = Posix.mmap(bytes);
        if (segment.address() == MAP_FAILED) {
            throw new BundleException("the system refused to map " + bytes + " bytes of memory");
        }
        if (LINUX) {
            // One token would commit two megabytes for each head otherwise, where huge pages are always on.
            Posix.madvise(segment, bytes, MADV_NOHUGEPAGE);
        }
        return new LazyMemory(segment, () -> Posix.munmap(segment, bytes), true);
    }

    MemorySegment segment() {
        return segment;
    }

    /**
     * Lets the system have whole pages back; what they hold afterwards is not defined, on Linux zeros. {@code offset} and
     * {@code bytes} are multiples of {@link #pageBytes()}.
     */
    void release(long offset, long bytes) {
        if (mapped && bytes > 0) {
            Posix.madvise(segment.asSlice(offset, bytes), bytes, MADV_DONTNEED);
        }
    }

    /** Commits whole pages at once that are about to be written: one system call in place of a fault for each. Aligned as in {@link #release}. */
    void commit(long offset, long bytes) {
        if (mapped && LINUX && bytes > 0) {
            Posix.madvise(segment.asSlice(offset, bytes), bytes, MADV_POPULATE_WRITE);
        }
    }

    @Override
    public void close() {
        unmap.run();
    }

    /** Three calls of the C library; initialised only where there is one that has them. */
    @SuppressWarnings("restricted") // Meridian is started with --enable-native-access.
    private static final class Posix {
        private static final MethodHandle MMAP = handle(
                "mmap",
                FunctionDescriptor.of(
                        ValueLayout.ADDRESS,
                        ValueLayout.ADDRESS,
                        ValueLayout.JAVA_LONG,
                        ValueLayout.JAVA_INT,
                        ValueLayout.JAVA_INT,
                        ValueLayout.JAVA_INT,
                        ValueLayout.JAVA_LONG));
        private static final MethodHandle MUNMAP = handle(
                "munmap", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG));
        private static final MethodHandle MADVISE = handle(
                "madvise",
                FunctionDescriptor.of(
                        ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT));

        private static final long PAGE_BYTES = pageSize();

        private static long pageSize() {
            try {
                return (int) handle("getpagesize", FunctionDescriptor.of(ValueLayout.JAVA_INT))
                        .invokeExact();
            } catch (Throwable e) {
                throw new IllegalStateException("getpagesize", e);
            }
        }

        private static MethodHandle handle(String name, FunctionDescriptor descriptor) {
            Linker linker = Linker.nativeLinker();
            return linker.downcallHandle(linker.defaultLookup().find(name).orElseThrow(), descriptor);
        }

        static MemorySegment mmap(long bytes) {
            try {
                return ((MemorySegment) MMAP.invokeExact(
                                MemorySegment.NULL, bytes, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS_NORESERVE, -1, 0L))
                        .reinterpret(bytes);
            } catch (Throwable e) {
                throw new IllegalStateException("mmap", e);
            }
        }

        static void munmap(MemorySegment address, long bytes) {
            try {
                int result = (int) MUNMAP.invokeExact(address, bytes);
                if (result != 0) {
                    throw new IllegalStateException("munmap of " + bytes + " bytes failed");
                }
            } catch (Throwable e) {
                throw new IllegalStateException("munmap", e);
            }
        }

        /** An advice: a system that does not take it serves the same, with more memory. */
        static void madvise(MemorySegment part, long bytes, int advice) {
            try {
                int ignored = (int) MADVISE.invokeExact(part, bytes, advice);
            } catch (Throwable e) {
                throw new IllegalStateException("madvise", e);
            }
        }
    }
}

package dev.meridian.engine.kernels;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The library of Meridian's operators for ONNX Runtime (domain {@code dev.meridian}), or the reason why there is none.
 *
 * <p>The build packs a library for the machine that it runs on, where that has a C compiler. A library can only be loaded
 * from a file, so it is copied to a folder that this user alone can read; it stays loaded until the process ends. Safe for
 * any thread.
 */
public sealed interface KernelLibrary {

    /**
     * The library is there and works.
     *
     * @param file what {@code SessionOptions.registerCustomOpLibrary} takes
     * @param path the code that computes, such as {@code avx512vnni}: the fastest that the processor has, unless the
     *     environment variable {@code MERIDIAN_KERNELS} names another
     * @param paths all that the processor has, slowest first
     */
    record Available(Path file, String path, List<String> paths) implements KernelLibrary {
        public Available {
            paths = List.copyOf(paths);
        }
    }

    /** There is no library to use, which {@code detail} explains to an operator in one sentence. */
    record Unavailable(Reason reason, String detail) implements KernelLibrary {}

    /** Why there is no library. */
    enum Reason {
        /** There are no kernels for this operating system or processor family. */
        UNSUPPORTED_SYSTEM,
        /** The build had no C compiler, or ran on another kind of machine. */
        NOT_BUILT,
        /** The library could not be copied to a file. */
        NOT_COPIED,
        /** The operating system refused to load it. */
        NOT_LOADED,
        /** The environment variable {@code MERIDIAN_KERNELS} names code that this processor cannot run. */
        REFUSED_CHOICE
    }

    /** This process's library. The first call copies and loads it; later ones give the same answer. */
    static KernelLibrary ofProcess() {
        return Found.LIBRARY;
    }

    /** Logs what a model that would use the library computes with; once in a process. */
    static void announce() {
        if (Found.ANNOUNCED.compareAndSet(false, true)) {
            switch (ofProcess()) {
                case Available it -> Found.LOG.info("Kernels: {} (of {})", it.path(), String.join(", ", it.paths()));
                case Unavailable it
                when it.reason() == Reason.REFUSED_CHOICE -> Found.LOG.warn("No kernels: {}", it.detail());
                case Unavailable it -> Found.LOG.info("No kernels: {}", it.detail());
            }
        }
    }

    /** Holds the answer; a class of its own, so that nothing is copied before somebody asks. */
    final class Found {
        private static final Logger LOG = LoggerFactory.getLogger(KernelLibrary.class);
        private static final AtomicBoolean ANNOUNCED = new AtomicBoolean();
        private static final KernelLibrary LIBRARY = KernelFile.of(
                        System.getProperty("os.name", ""),
                        System.getProperty("os.arch", ""),
                        KernelLibrary.class::getResourceAsStream)
                .load();

        private Found() {}
    }
}

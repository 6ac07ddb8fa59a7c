package dev.meridian.node;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A temporary folder that goes with all that is in it when it is closed, or when the process is told to stop. */
final class Scratch implements AutoCloseable {
    /** At the end of the process another thread may still write into the folder. */
    private static final int TRIES = 10;

    private static final String ENDING = "the process is ending";

    private final Thread atExit = new Thread(this::end, "delete-scratch");
    private @Nullable Path folder;
    private boolean ended;

    private Scratch() {}

    /** Where the system keeps temporary files. */
    static Scratch create(String prefix) throws IOException {
        return made(() -> Files.createTempDirectory(prefix));
    }

    /** A hidden sibling of a path, for what is as large as that: {@code .NAME.PURPOSE-PID}. */
    static Scratch beside(Path path, String purpose) throws IOException {
        Path whole = path.toAbsolutePath().normalize();
        String name = "." + whole.getFileName() + "." + purpose + "-"
                + ProcessHandle.current().pid();
        return made(() -> Files.createDirectory(whole.resolveSibling(name)));
    }

    /** The hook comes first: a folder made before it would stay if the process were told to stop in between. */
    private static Scratch made(Making making) throws IOException {
        Scratch scratch = new Scratch();
        try {
            Runtime.getRuntime().addShutdownHook(scratch.atExit);
        } catch (IllegalStateException e) {
            throw new CommandFailed(ENDING, e);
        }
        try {
            scratch.make(making);
        } catch (IOException | RuntimeException e) {
            scratch.removeHook();
            throw e;
        }
        return scratch;
    }

    private synchronized void make(Making making) throws IOException {
        if (ended) {
            throw new CommandFailed(ENDING);
        }
        folder = making.make();
    }

    synchronized Path folder() {
        return Objects.requireNonNull(folder);
    }

    @Override
    public void close() throws IOException {
        delete();
        removeHook();
    }

    private void removeHook() {
        try {
            Runtime.getRuntime().removeShutdownHook(atExit);
        } catch (IllegalStateException _) {
            // The process stops already: the hook finds nothing to delete.
        }
    }

    /** What the process does with the folder when it stops. */
    synchronized void end() {
        ended = true;
        for (int i = 0; i < TRIES; i++) {
            try {
                delete();
                return;
            } catch (IOException | UncheckedIOException _) {
                // A file came or went meanwhile.
            }
        }
    }

    private synchronized void delete() throws IOException {
        if (folder == null || !Files.exists(folder)) {
            return;
        }
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }

    private interface Making {
        Path make() throws IOException;
    }
}

package dev.meridian.node;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/** A temporary folder that goes with all that is in it when it is closed, or when the process is told to stop. */
final class Scratch implements AutoCloseable {
    /** At the end of the process another thread may still write into the folder. */
    private static final int TRIES = 10;

    private final Path folder;
    private final Thread atExit;

    private Scratch(Path folder) {
        this.folder = folder;
        atExit = new Thread(this::deleteQuietly, "delete-scratch");
    }

    /** Where the system keeps temporary files. */
    static Scratch create(String prefix) throws IOException {
        return registered(new Scratch(Files.createTempDirectory(prefix)));
    }

    /** A hidden sibling of a path, for what is as large as that: {@code .NAME.PURPOSE-PID}. */
    static Scratch beside(Path path, String purpose) throws IOException {
        Path whole = path.toAbsolutePath().normalize();
        String name = "." + whole.getFileName() + "." + purpose + "-"
                + ProcessHandle.current().pid();
        return registered(new Scratch(Files.createDirectory(whole.resolveSibling(name))));
    }

    private static Scratch registered(Scratch scratch) {
        try {
            Runtime.getRuntime().addShutdownHook(scratch.atExit);
        } catch (IllegalStateException e) {
            scratch.deleteQuietly();
            throw new CommandFailed("the process is ending", e);
        }
        return scratch;
    }

    Path folder() {
        return folder;
    }

    @Override
    public void close() throws IOException {
        delete();
        try {
            Runtime.getRuntime().removeShutdownHook(atExit);
        } catch (IllegalStateException _) {
            // The process stops already: the hook finds nothing to delete.
        }
    }

    /** What the process does with the folder when it stops. */
    void deleteQuietly() {
        for (int i = 0; i < TRIES; i++) {
            try {
                delete();
                return;
            } catch (IOException | UncheckedIOException _) {
                // A file came or went meanwhile.
            }
        }
    }

    private void delete() throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }
}

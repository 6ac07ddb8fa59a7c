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

    static Scratch create(String prefix) throws IOException {
        Scratch scratch = new Scratch(Files.createTempDirectory(prefix));
        Runtime.getRuntime().addShutdownHook(scratch.atExit);
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

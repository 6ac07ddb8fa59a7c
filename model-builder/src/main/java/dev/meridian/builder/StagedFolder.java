package dev.meridian.builder;

import dev.meridian.builder.source.ImportException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A folder that appears whole or not at all: files are written into a hidden sibling, which {@link #commit} renames.
 * Closing it before that, or the end of the JVM, deletes what is there, and parent folders that it made.
 */
final class StagedFolder implements AutoCloseable {
    /** What a model's id may be, since the folder's name becomes one. */
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,127}");

    private static final int DELETE_ATTEMPTS = 100;
    private static final String ENDING = "the process is ending";

    private final Path target;
    private final Path staging;
    private final List<Path> madeParents = new ArrayList<>();
    private final Thread hook = new Thread(this::discard, "import-cleanup");
    private boolean made;
    private boolean finished;

    private StagedFolder(Path target, Path staging) {
        this.target = target;
        this.staging = staging;
    }

    static StagedFolder create(Path out) throws ImportException, IOException {
        Path target = out.toAbsolutePath().normalize();
        Path name = target.getFileName();
        Path parent = target.getParent();
        if (name == null || parent == null || !NAME.matcher(name.toString()).matches()) {
            throw new ImportException(
                    out + ": the last component becomes the model's id: letters, digits, '.', '_' and '-' only");
        }
        refuseExisting(target);
        Path staging = parent.resolve(
                "." + name + ".importing-" + ProcessHandle.current().pid());
        StagedFolder folder = new StagedFolder(target, staging);
        // The hook comes first: what is made before it would stay if the process were told to stop in between.
        try {
            Runtime.getRuntime().addShutdownHook(folder.hook);
        } catch (IllegalStateException e) {
            throw new ImportException(target + ": " + ENDING, e);
        }
        try {
            folder.make(parent);
        } catch (ImportException | IOException e) {
            folder.close();
            throw e;
        }
        return folder;
    }

    private synchronized void make(Path parent) throws ImportException, IOException {
        if (finished) {
            throw new ImportException(target + ": " + ENDING);
        }
        for (@Nullable Path p = parent; p != null && Files.notExists(p); p = p.getParent()) {
            madeParents.addFirst(p);
        }
        Files.createDirectories(parent);
        Files.createDirectory(staging);
        made = true;
    }

    Path path() {
        return staging;
    }

    /** Makes the content durable and gives the folder its name. */
    synchronized void commit() throws ImportException, IOException {
        if (finished) {
            throw new IllegalStateException(staging + " is gone");
        }
        try (var files = Files.list(staging)) {
            for (Path file : files.toList()) {
                force(file);
            }
        }
        force(staging);
        refuseExisting(target);
        Files.move(staging, target, StandardCopyOption.ATOMIC_MOVE);
        finished = true;
        force(target.getParent());
        removeHook();
    }

    @Override
    public void close() {
        discard();
        removeHook();
    }

    private synchronized void discard() {
        if (finished) {
            return;
        }
        finished = true;
        if (made) {
            deleteStaging();
        }
        deleteParents();
    }

    /** At the JVM's end writers may still be at work, so a folder that filled up again is emptied again. */
    private void deleteStaging() {
        for (int attempt = 0; attempt < DELETE_ATTEMPTS; attempt++) {
            try {
                Files.walkFileTree(staging, new Deleting());
                return;
            } catch (NoSuchFileException _) {
                if (Files.notExists(staging, LinkOption.NOFOLLOW_LINKS)) {
                    return;
                }
            } catch (DirectoryNotEmptyException _) {
                Thread.onSpinWait();
            } catch (IOException _) {
                // Nothing better can be done here; the folder's name says what it was.
                return;
            }
        }
    }

    private void deleteParents() {
        for (Path parent : madeParents.reversed()) {
            try {
                Files.deleteIfExists(parent);
            } catch (IOException _) {
                return; // somebody else uses it by now
            }
        }
    }

    private void removeHook() {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException _) {
            // The JVM is ending, and the hook runs or has run.
        }
    }

    private static void refuseExisting(Path target) throws ImportException {
        if (Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
            throw new ImportException(target + ": exists already; choose another --out or remove it first");
        }
    }

    private static void force(@Nullable Path path) throws IOException {
        if (path != null) {
            try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
                channel.force(true);
            } catch (IOException e) {
                throw IoFailures.at(path, e);
            }
        }
    }

    private static final class Deleting extends SimpleFileVisitor<Path> {
        @Override
        public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
            Files.deleteIfExists(file);
            return FileVisitResult.CONTINUE;
        }

        @Override
        public FileVisitResult postVisitDirectory(Path folder, @Nullable IOException failure) throws IOException {
            if (failure != null) {
                throw failure;
            }
            Files.delete(folder);
            return FileVisitResult.CONTINUE;
        }
    }
}

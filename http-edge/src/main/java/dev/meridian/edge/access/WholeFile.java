package dev.meridian.edge.access;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/** Small files that are written beside and renamed, so that a reader sees the old or the new one. */
public final class WholeFile {
    private static final Set<PosixFilePermission> OWNER_ONLY = PosixFilePermissions.fromString("rw-------");

    private WholeFile() {}

    /** A file with secrets: nobody but its owner can read it at any moment. One writer at a time. */
    public static void writeSecret(Path path, byte[] content) throws IOException {
        write(path, content, ownerOnly(path));
    }

    /** A file that others may read. One writer at a time. */
    public static void write(Path path, byte[] content) throws IOException {
        write(path, content, new FileAttribute<?>[0]);
    }

    private static void write(Path path, byte[] content, FileAttribute<?>[] attributes) throws IOException {
        Path fresh = path.resolveSibling(path.getFileName() + ".new");
        // What lies here is of a writer that died.
        Files.deleteIfExists(fresh);
        try {
            try (FileChannel out = FileChannel.open(
                    fresh, Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), attributes)) {
                ByteBuffer bytes = ByteBuffer.wrap(content);
                while (bytes.hasRemaining()) {
                    out.write(bytes);
                }
                out.force(true);
            }
            Files.move(fresh, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(fresh);
        }
    }

    static FileAttribute<?>[] ownerOnly(Path file) {
        boolean posix = file.getFileSystem().supportedFileAttributeViews().contains("posix");
        return posix
                ? new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(OWNER_ONLY)}
                : new FileAttribute<?>[0];
    }
}

package dev.meridian.engine.bundle;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.Objects;
import java.util.concurrent.TimeUnit;

/**
 * What a file system says of a file without its content. Two equal stamps mean the same content, unless somebody writes
 * past the file system or turns its clock back: the change time, unlike the modification time, cannot be set.
 *
 * @param key device and inode, {@code -} where the system tells neither
 * @param regular neither a link nor a folder nor a device
 * @param links names of this file, 1 where the system does not say
 * @param modifiedNanos since 1970
 * @param changedNanos since 1970, of content or attributes; the modification time where the system does not say
 */
record FileStamp(String key, boolean regular, int links, long bytes, long modifiedNanos, long changedNanos) {
    /** Of the file itself, not of what a link leads to. */
    static FileStamp of(Path file) throws IOException {
        BasicFileAttributes basic = Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
        long modified = nanos(basic.lastModifiedTime());
        if (!file.getFileSystem().supportedFileAttributeViews().contains("unix")) {
            String key = Objects.toString(basic.fileKey(), "-").replaceAll("\\s", "");
            return new FileStamp(key, basic.isRegularFile(), 1, basic.size(), modified, modified);
        }
        return new FileStamp(
                unix(file, "dev", Long.class) + ":" + unix(file, "ino", Long.class),
                basic.isRegularFile(),
                unix(file, "nlink", Integer.class),
                basic.size(),
                modified,
                nanos(unix(file, "ctime", FileTime.class)));
    }

    private static <T> T unix(Path file, String attribute, Class<T> type) throws IOException {
        return type.cast(Objects.requireNonNull(
                Files.getAttribute(file, "unix:" + attribute, LinkOption.NOFOLLOW_LINKS), attribute));
    }

    private static long nanos(FileTime time) {
        return time.to(TimeUnit.NANOSECONDS);
    }

    /** The newer of both times. */
    long newestNanos() {
        return Math.max(modifiedNanos, changedNanos);
    }
}

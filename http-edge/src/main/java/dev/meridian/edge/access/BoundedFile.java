package dev.meridian.edge.access;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Small files that people write. */
final class BoundedFile {
    private BoundedFile() {}

    /** All bytes; none where there is no file. Throws AccessException where it cannot be read or is too large. */
    static byte[] read(Path path, int maxBytes) {
        try (InputStream in = Files.newInputStream(path)) {
            byte[] bytes = in.readNBytes(maxBytes + 1);
            if (bytes.length > maxBytes) {
                throw new AccessException(path + ": larger than " + maxBytes + " bytes", null);
            }
            return bytes;
        } catch (NoSuchFileException _) {
            return new byte[0];
        } catch (AccessDeniedException e) {
            throw new AccessException(path + ": permission denied", e);
        } catch (IOException e) {
            throw new AccessException(path + ": cannot be read: " + e.getMessage(), e);
        }
    }
}

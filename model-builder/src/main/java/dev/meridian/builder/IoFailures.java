package dev.meridian.builder;

import dev.meridian.builder.source.ImportException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Turns the failures of files and disks into refusals that name the file. */
final class IoFailures {
    private IoFailures() {}

    /** Work that reads and writes. */
    interface Work {
        void run() throws ImportException, IOException;
    }

    /** Writes a file whole; a failure names it, which that of a write does not by itself. */
    static void write(Path file, byte[] content) throws IOException {
        try {
            Files.write(file, content);
        } catch (IOException e) {
            throw at(file, e);
        }
    }

    /** A failure of writing to {@code file}, by that name unless it has one. */
    static IOException at(Path file, IOException failure) {
        if (failure instanceof FileSystemException
                || failure instanceof ClosedByInterruptException
                || failure instanceof InterruptedIOException) {
            return failure;
        }
        FileSystemException named = new FileSystemException(file.toString(), null, failure.getMessage());
        named.initCause(failure);
        return named;
    }

    private static String reason(FileSystemException failure) {
        return switch (failure) {
            case AccessDeniedException _ -> "permission denied";
            case NoSuchFileException _ -> "no such file or folder";
            default -> failure.getReason() == null ? failure.getClass().getSimpleName() : failure.getReason();
        };
    }

    static void named(Path out, Work work) throws ImportException {
        try {
            work.run();
        } catch (ClosedByInterruptException | InterruptedIOException e) {
            throw new ImportException(out + ": interrupted", e);
        } catch (FileSystemException e) {
            throw new ImportException(e.getFile() + ": " + reason(e), e);
        } catch (IOException e) {
            throw new ImportException(out + ": " + e.getMessage(), e);
        }
    }
}

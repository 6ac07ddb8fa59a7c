package dev.meridian.builder;

import dev.meridian.builder.source.ImportException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;

/** Turns the failures of files and disks into refusals that name the file. */
final class IoFailures {
    private IoFailures() {}

    /** Work that reads and writes. */
    interface Work {
        void run() throws ImportException, IOException;
    }

    static void named(Path out, Work work) throws ImportException {
        try {
            work.run();
        } catch (ClosedByInterruptException | InterruptedIOException e) {
            throw new ImportException(out + ": interrupted", e);
        } catch (FileSystemException e) {
            String reason = e.getReason() == null ? e.getClass().getSimpleName() : e.getReason();
            throw new ImportException(e.getFile() + ": " + reason, e);
        } catch (IOException e) {
            throw new ImportException(out + ": " + e.getMessage(), e);
        }
    }
}

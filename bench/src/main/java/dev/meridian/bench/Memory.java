package dev.meridian.bench;

import dev.meridian.bench.load.ProcessMemory;
import java.io.IOException;

/** What the system says of this process's memory. */
final class Memory {
    private Memory() {}

    /** Resident bytes; -1 where there is no /proc. */
    static long residentBytes() {
        try {
            return ProcessMemory.of(ProcessHandle.current().pid())
                    .map(ProcessMemory::bytes)
                    .orElse(-1L);
        } catch (IOException _) {
            return -1;
        }
    }
}

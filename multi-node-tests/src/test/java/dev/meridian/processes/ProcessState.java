package dev.meridian.processes;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * What a node's process holds, as Linux sees it; elsewhere nothing.
 *
 * @param lasting the names of its threads that live as long as the node does, in order
 */
record ProcessState(int files, int threads, List<String> lasting) {
    static ProcessState of(long pid) throws IOException {
        Path process = Path.of("/proc", Long.toString(pid));
        if (!Files.isDirectory(process)) {
            return new ProcessState(0, 0, List.of());
        }
        List<String> names = new ArrayList<>();
        for (Path thread : children(process.resolve("task"))) {
            try {
                names.add(Files.readString(thread.resolve("comm")).strip());
            } catch (NoSuchFileException _) {
                // It ended meanwhile.
            }
        }
        List<String> lasting = names.stream()
                .filter(name -> name.startsWith("engine-") || name.startsWith("meridian-schedu"))
                .sorted()
                .toList();
        return new ProcessState(children(process.resolve("fd")).size(), names.size(), lasting);
    }

    private static List<Path> children(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList();
        }
    }
}

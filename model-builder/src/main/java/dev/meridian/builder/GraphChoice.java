package dev.meridian.builder;

import dev.meridian.builder.source.Checkpoint;
import dev.meridian.builder.source.ImportException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Which of a folder's ONNX files is imported: exporters put several precisions side by side. */
final class GraphChoice {
    private static final String PLAIN = "model.onnx";
    private static final String SUFFIX = ".onnx";
    private static final String SUBFOLDER = "onnx";

    private GraphChoice() {}

    /** A folder without safetensors but with a graph; where both are there, the graph has to be asked for. */
    static boolean isMeant(ImportRequest request) throws IOException {
        Path source = request.source();
        boolean checkpoint = Files.exists(source.resolve(Checkpoint.SINGLE_FILE))
                || Files.exists(source.resolve(Checkpoint.INDEX_FILE));
        return request.onnx() != null
                || (!checkpoint
                        && (Files.exists(source.resolve(GraphSource.GENAI_CONFIG))
                                || !candidates(source).isEmpty()));
    }

    /** The file asked for, by its name in the folder or in {@code onnx}; else the plain one; else the only one. */
    static Path choose(Path source, @Nullable String asked) throws ImportException, IOException {
        List<Path> all = candidates(source);
        if (asked != null) {
            for (Path file : all) {
                if (source.relativize(file).toString().equals(asked) || file.endsWith(asked)) {
                    return file;
                }
            }
            throw new ImportException(source + ": no ONNX file '" + asked + "'; " + listed(source, all));
        }
        List<Path> plain = all.stream().filter(file -> file.endsWith(PLAIN)).toList();
        List<Path> meant = plain.isEmpty() ? all : plain;
        if (meant.size() != 1) {
            throw new ImportException(source + ": choose one with --onnx; " + listed(source, all));
        }
        return meant.getFirst();
    }

    private static String listed(Path source, List<Path> files) {
        return files.isEmpty()
                ? "there is none in it, nor in its folder " + SUBFOLDER
                : "there are "
                        + String.join(
                                ", ",
                                files.stream()
                                        .map(file -> source.relativize(file).toString())
                                        .toList());
    }

    private static List<Path> candidates(Path source) throws IOException {
        List<Path> found = new ArrayList<>();
        for (Path folder : List.of(source, source.resolve(SUBFOLDER))) {
            if (Files.isDirectory(folder)) {
                try (var files = Files.list(folder)) {
                    files.filter(file -> file.getFileName().toString().endsWith(SUFFIX))
                            .sorted()
                            .forEach(found::add);
                }
            }
        }
        return found;
    }
}

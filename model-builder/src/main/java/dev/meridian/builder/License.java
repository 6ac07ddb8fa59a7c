package dev.meridian.builder;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Finds out under which licence a model folder stands. */
final class License {
    private static final int MAX_FRONT_MATTER_LINES = 200;
    private static final int MAX_LENGTH = 100;

    private License() {}

    /** The README's {@code license:} field, else the first line of a LICENSE file, else {@code unknown}. */
    static String of(Path folder) throws IOException {
        Optional<String> declared = frontMatter(folder.resolve("README.md"));
        if (declared.isPresent()) {
            return declared.get();
        }
        for (Path file : files(folder)) {
            Optional<String> first = firstLine(file);
            if (first.isPresent()) {
                return first.get();
            }
        }
        return "unknown";
    }

    /** The files that belong to the licence, by name. */
    static List<Path> files(Path folder) throws IOException {
        try (var all = Files.list(folder)) {
            return all.filter(f -> f.getFileName().toString().startsWith("LICENSE") && Files.isRegularFile(f))
                    .sorted()
                    .toList();
        }
    }

    private static Optional<String> frontMatter(Path readme) throws IOException {
        if (!Files.isRegularFile(readme)) {
            return Optional.empty();
        }
        try (BufferedReader lines = reader(readme)) {
            if (!"---".equals(lines.readLine())) {
                return Optional.empty();
            }
            for (int i = 0; i < MAX_FRONT_MATTER_LINES; i++) {
                String line = lines.readLine();
                if (line == null || line.equals("---")) {
                    return Optional.empty();
                }
                if (line.startsWith("license:")) {
                    String value = line.substring("license:".length()).strip().replaceAll("^[\"']|[\"']$", "");
                    return Optional.of(shortened(value)).filter(v -> !v.isEmpty());
                }
            }
            return Optional.empty();
        }
    }

    private static Optional<String> firstLine(Path file) throws IOException {
        try (BufferedReader lines = reader(file)) {
            return lines.lines()
                    .map(String::strip)
                    .filter(l -> !l.isEmpty())
                    .findFirst()
                    .map(License::shortened);
        }
    }

    /** Malformed bytes become replacement characters, since a licence's author's name decides nothing here. */
    private static BufferedReader reader(Path file) throws IOException {
        return new BufferedReader(new java.io.InputStreamReader(Files.newInputStream(file), StandardCharsets.UTF_8));
    }

    /** What a terminal would obey is left out: the licence is printed. */
    private static String shortened(String line) {
        String text = line.replaceAll("\\p{Cntrl}", "");
        return text.length() <= MAX_LENGTH ? text : text.substring(0, MAX_LENGTH);
    }
}

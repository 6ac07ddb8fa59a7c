package dev.meridian.bench.load;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Another JVM with this one's classes. */
public final class ChildJvm {
    private ChildJvm() {}

    /**
     * The command line, to be run in this process's folder, since entries of the class path may be relative.
     *
     * @param jvmFlags in addition to those that every JVM with Meridian's code needs
     * @param arguments of {@code mainClass}
     */
    public static List<String> command(List<String> jvmFlags, String mainClass, List<String> arguments) {
        List<String> line = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow"));
        line.addAll(jvmFlags);
        line.addAll(List.of("-cp", System.getProperty("java.class.path"), mainClass));
        line.addAll(arguments);
        return line;
    }
}

package dev.meridian.processes;

import java.io.File;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Where nodes find their classes: the class path, and a cache of the classes on it that the JVM makes in a short run of
 * a node (JEP 514), as the launcher does for users. With it a start of a node takes half to two thirds of the CPU time;
 * commands go without, because they load so little that mapping the cache costs them more.
 *
 * <p>The cache is made before the first node starts, lies in {@code target}, and serves until a jar changes. A class
 * path with folders of classes, as an IDE's, has none, because the JVM takes jars only. Where making it fails, nodes
 * start without, and {@code target/aot/train.log} says why.
 *
 * @param classPath in the form of the JVM's option
 * @param flags of a JVM that uses the cache, none where there is none
 */
record ClassCache(String classPath, List<String> flags) {
    private static final long TRAINING_SECONDS = 120;
    private static final Path FOLDER = Path.of("target", "aot").toAbsolutePath();

    ClassCache {
        flags = List.copyOf(flags);
    }

    /** The one of this JVM. The first call may take ten to twenty seconds. */
    static ClassCache get() {
        return Once.CACHE;
    }

    /** Initialised by one thread while others wait. */
    private static final class Once {
        static final ClassCache CACHE = of(System.getProperty("java.class.path"));
    }

    private static ClassCache of(String testClassPath) {
        List<String> jars = new ArrayList<>();
        for (String entry : testClassPath.split(File.pathSeparator, -1)) {
            // The tests' own classes, which no node needs.
            if (Files.isDirectory(Path.of(entry, "dev", "meridian", "processes"))) {
                continue;
            }
            if (!Files.isRegularFile(Path.of(entry))) {
                return new ClassCache(testClassPath, List.of());
            }
            jars.add(entry);
        }
        String classPath = String.join(File.pathSeparator, jars);
        try {
            Path cache = FOLDER.resolve(nameFor(jars));
            if (isMade(cache, classPath)) {
                // A JVM that cannot use it goes without, and says nothing.
                return new ClassCache(classPath, List.of("-XX:AOTCache=" + cache, "-Xlog:aot*=off", "-Xlog:cds*=off"));
            }
        } catch (IOException _) {
            // Nothing can be written there.
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
        return new ClassCache(testClassPath, List.of());
    }

    /** A name of its own for these jars and this JVM: a cache is of use to those alone that it was made with. */
    private static String nameFor(List<String> jars) throws IOException {
        StringBuilder parts = new StringBuilder(System.getProperty("java.home") + Runtime.version());
        for (String jar : jars) {
            Path path = Path.of(jar);
            parts.append('\n').append(jar).append(' ').append(Files.size(path));
            parts.append(' ').append(Files.getLastModifiedTime(path));
        }
        return UUID.nameUUIDFromBytes(parts.toString().getBytes(StandardCharsets.UTF_8)) + ".aot";
    }

    /** Of several JVMs that test at the same time one makes it, and the others wait. */
    private static boolean isMade(Path cache, String classPath) throws IOException, InterruptedException {
        Files.createDirectories(FOLDER);
        try (FileChannel channel =
                        FileChannel.open(FOLDER.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                FileLock _ = channel.lock()) {
            return Files.exists(cache) || make(cache, classPath);
        }
    }

    private static boolean make(Path cache, String classPath) throws IOException, InterruptedException {
        deleteCaches();
        Path fresh = FOLDER.resolve("fresh.aot");
        // As members of clusters run. Without the second compiler the cache has no profiles, which is as well: by them
        // a node that has that compiler sets it to work at once, and takes a second more of CPU to start.
        List<String> flags = List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:AOTCacheOutput=" + fresh);
        ProcessBuilder builder = new ProcessBuilder(CliProcess.command(flags, "train"));
        builder.environment().putAll(CliProcess.environment(classPath));
        builder.redirectErrorStream(true)
                .redirectOutput(FOLDER.resolve("train.log").toFile());
        Process process = builder.start();
        try {
            process.getOutputStream().close();
            if (!process.waitFor(TRAINING_SECONDS, TimeUnit.SECONDS)
                    || process.exitValue() != 0
                    || !Files.exists(fresh)) {
                return false;
            }
        } finally {
            // The JVM leaves the making to a child.
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
        Files.move(fresh, cache, StandardCopyOption.ATOMIC_MOVE);
        return true;
    }

    /** Those of older jars. Whoever still runs with one keeps it open. */
    private static void deleteCaches() throws IOException {
        try (Stream<Path> files = Files.list(FOLDER)) {
            for (Path old :
                    files.filter(file -> file.toString().endsWith(".aot")).toList()) {
                Files.delete(old);
            }
        }
    }
}

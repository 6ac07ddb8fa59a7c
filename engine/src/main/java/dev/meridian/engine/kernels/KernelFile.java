package dev.meridian.engine.kernels;

import dev.meridian.engine.kernels.KernelLibrary.Reason;
import dev.meridian.engine.kernels.KernelLibrary.Unavailable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The packed library of one kind of machine.
 *
 * @param name its file name, empty where there are no kernels for the machine
 * @param machine folder of the resource and what messages call the machine
 */
record KernelFile(String name, String machine, Function<String, @Nullable InputStream> resources) {
    private static final String FOLDER = "/dev/meridian/engine/native/";

    /** By the values of the system properties {@code os.name} and {@code os.arch}. */
    static KernelFile of(String os, String arch, Function<String, @Nullable InputStream> resources) {
        String processor = switch (arch) {
            case "amd64", "x86_64" -> "x86_64";
            case "aarch64", "arm64" -> "aarch64";
            default -> "";
        };
        if (!processor.isEmpty() && os.equals("Linux")) {
            return new KernelFile("libmeridian_kernels.so", "linux-" + processor, resources);
        }
        if (!processor.isEmpty() && os.equals("Mac OS X")) {
            return new KernelFile("libmeridian_kernels.dylib", "macos-" + processor, resources);
        }
        return new KernelFile("", os + " " + arch, resources);
    }

    KernelLibrary load() {
        if (name.isEmpty()) {
            return new Unavailable(Reason.UNSUPPORTED_SYSTEM, "there are none for " + machine);
        }
        Path file;
        try (InputStream packed = resources.apply(FOLDER + machine + "/" + name)) {
            if (packed == null) {
                return new Unavailable(
                        Reason.NOT_BUILT, "this build has none for " + machine + "; a C compiler was missing");
            }
            file = copy(packed.readAllBytes());
        } catch (IOException e) {
            return new Unavailable(Reason.NOT_COPIED, "the library cannot be copied to a file: " + e);
        }
        return KernelFunctions.open(file);
    }

    /** A file that nobody else can replace. Deleting happens in the reverse order of its registration. */
    private Path copy(byte[] library) throws IOException {
        Path folder = Files.createTempDirectory(
                "meridian-kernels-",
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        folder.toFile().deleteOnExit();
        Path file = folder.resolve(name);
        file.toFile().deleteOnExit();
        Files.write(file, library, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        if (!Arrays.equals(Files.readAllBytes(file), library)) {
            throw new IOException(file + " does not hold what was written to it");
        }
        return file;
    }
}

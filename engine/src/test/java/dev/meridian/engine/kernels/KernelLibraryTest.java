package dev.meridian.engine.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.engine.kernels.KernelLibrary.Available;
import dev.meridian.engine.kernels.KernelLibrary.Reason;
import dev.meridian.engine.kernels.KernelLibrary.Unavailable;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KernelLibraryTest {
    @TempDir
    Path folder;

    private static Reason reason(KernelLibrary library) {
        assertThat(library).isInstanceOf(Unavailable.class);
        return ((Unavailable) library).reason();
    }

    @Test
    void namesTheReasonWhereThereIsNone() {
        assertThat(reason(KernelFile.of("Windows 11", "amd64", _ -> InputStream.nullInputStream())
                        .load()))
                .isEqualTo(Reason.UNSUPPORTED_SYSTEM);
        assertThat(reason(KernelFile.of("Linux", "riscv64", _ -> InputStream.nullInputStream())
                        .load()))
                .isEqualTo(Reason.UNSUPPORTED_SYSTEM);
        assertThat(reason(KernelFile.of("Linux", "amd64", _ -> null).load())).isEqualTo(Reason.NOT_BUILT);
    }

    /** Else a build that fails would skip all other tests of kernels, and nobody would know. */
    @Test
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void theBuildMakesOneWhereThereIsACompiler() throws Exception {
        int found = new ProcessBuilder("sh", "-c", "command -v cc || command -v gcc || command -v clang")
                .start()
                .waitFor();
        Assumptions.assumeTrue(found == 0, "no C compiler");
        assertThat(KernelLibrary.ofProcess()).isInstanceOf(Available.class);
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void aFileThatIsNoLibraryIsNotLoaded() {
        assertThat(reason(KernelFile.of("Linux", "aarch64", _ -> new ByteArrayInputStream(new byte[100]))
                        .load()))
                .isEqualTo(Reason.NOT_LOADED);
    }

    @ParameterizedTest
    @ValueSource(strings = {"portable", "none"})
    void theEnvironmentMayNameThePath(String path) throws Exception {
        NativeKernels.required();
        Path output = folder.resolve("output");
        ProcessBuilder builder = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-Xmx64m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Child.class.getName())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile());
        builder.environment().put("MERIDIAN_KERNELS", path);
        Process process = builder.start();
        try {
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
            String said = Files.readString(output);
            assertThat(process.exitValue()).as(said).isZero();
            assertThat(said).contains(path.equals("none") ? "REFUSED_CHOICE" : "path=portable");
        } finally {
            process.destroyForcibly();
        }
    }

    /** The process that the test above starts. */
    static final class Child {
        public static void main(String[] args) {
            System.out.println(KernelLibrary.ofProcess());
        }
    }

    @Test
    void thisUserAloneCanReadTheCopy() throws IOException {
        Available library = NativeKernels.required().library();
        assertThat(Files.getPosixFilePermissions(
                        Objects.requireNonNull(library.file().getParent())))
                .isEqualTo(PosixFilePermissions.fromString("rwx------"));
        assertThat(library.paths()).startsWith("portable").contains(library.path());
        assertThat(KernelLibrary.ofProcess()).isEqualTo(library);
    }
}

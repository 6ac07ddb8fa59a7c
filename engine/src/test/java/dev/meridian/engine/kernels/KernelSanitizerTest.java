package dev.meridian.engine.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs the program of {@code kernel_test.c}, which the build makes where the compiler has sanitizers. */
class KernelSanitizerTest {
    @TempDir
    Path folder;

    @Test
    void noPathReadsOrWritesPastABuffer() throws Exception {
        Path program = Path.of("target", "native-test", "kernel_test").toAbsolutePath();
        Assumptions.assumeTrue(Files.isExecutable(program), () -> "not built: " + program);
        Path output = folder.resolve("output");
        Process process = new ProcessBuilder(program.toString())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        try {
            assertThat(process.waitFor(120, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).as(Files.readString(output)).isZero();
        } finally {
            process.destroyForcibly();
        }
    }
}

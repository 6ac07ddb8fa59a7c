package dev.meridian.engine.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** ONNX Runtime tells nobody of what runs here, and the code that would is never reached. */
@DisabledOnOs(OS.WINDOWS)
@SuppressWarnings("restricted") // Tests run with --enable-native-access.
class OnnxEnvironmentTest {
    /** Made by the telemetry's library as soon as it starts. */
    private static final Path TELEMETRY_LOG =
            Path.of("/tmp/mat-debug-" + ProcessHandle.current().pid() + ".log");

    @TempDir
    Path folder;

    @Test
    void telemetryIsOffBeforeTheEnvironmentIsMade() throws Throwable {
        OnnxEnvironment.get();

        assertThat(environmentVariable(OnnxEnvironment.OPT_OUT)).isEqualTo("1");
        assertThat(TELEMETRY_LOG).doesNotExist();
    }

    @Test
    void aLongCommandLineIsHarmless() throws Exception {
        Path output = folder.resolve("output");
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-Xmx64m",
                        "-Dpadding=" + "a".repeat(20_000),
                        "-cp",
                        System.getProperty("java.class.path"),
                        Child.class.getName())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        try {
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).as(Files.readString(output)).isZero();
        } finally {
            process.destroyForcibly();
        }
    }

    /** The process that the test above starts. */
    static final class Child {
        public static void main(String[] args) {
            OnnxEnvironment.get();
        }
    }

    /** As C sees it: {@code System.getenv} is a copy from the process's start. */
    private static String environmentVariable(String name) throws Throwable {
        Linker linker = Linker.nativeLinker();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value = (MemorySegment) linker.downcallHandle(
                            linker.defaultLookup().find("getenv").orElseThrow(),
                            FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.ADDRESS))
                    .invokeExact(arena.allocateFrom(name));
            return value.address() == 0 ? "" : value.reinterpret(64).getString(0);
        }
    }
}

package dev.meridian.engine.onnx;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;

/**
 * ONNX Runtime's one environment of this process, made with its telemetry off. Every user of ONNX Runtime gets it here and
 * nowhere else.
 *
 * <p>From 1.29 on ONNX Runtime's builds for Linux and macOS send events about the process, its sessions and its models to
 * their maker unless {@value #OPT_OUT} is set in the environment when the first {@code OrtEnvironment} is made (onnxruntime
 * pull request 27379). An inference server must not talk to anybody that its operator did not name. The same code matches
 * the process's command line with a recursive regular expression, which overflows the stack and kills the process without
 * a word where the class path is longer than about 4,000 characters.
 */
public final class OnnxEnvironment {
    static final String OPT_OUT = "ORT_DISABLE_TELEMETRY";

    private static final boolean WINDOWS = System.getProperty("os.name", "").startsWith("Windows");

    private OnnxEnvironment() {}

    /** The environment. Safe for any thread; it is never closed. */
    public static OrtEnvironment get() {
        return Made.ENVIRONMENT;
    }

    private static final class Made {
        static final OrtEnvironment ENVIRONMENT = make();

        private static OrtEnvironment make() {
            if (!WINDOWS) {
                optOut();
            }
            OrtEnvironment environment = OrtEnvironment.getEnvironment();
            try {
                // Windows' builds have a switch at run time only.
                environment.setTelemetry(false);
            } catch (OrtException e) {
                throw new IllegalStateException("ONNX Runtime's telemetry cannot be switched off", e);
            }
            return environment;
        }

        /** Java cannot change its environment, and a launcher's would not reach those who embed the engine. */
        @SuppressWarnings("restricted") // Meridian is started with --enable-native-access.
        private static void optOut() {
            Linker linker = Linker.nativeLinker();
            try (Arena arena = Arena.ofConfined()) {
                int status = (int) linker.downcallHandle(
                                linker.defaultLookup().find("setenv").orElseThrow(),
                                FunctionDescriptor.of(
                                        ValueLayout.JAVA_INT,
                                        ValueLayout.ADDRESS,
                                        ValueLayout.ADDRESS,
                                        ValueLayout.JAVA_INT))
                        .invokeExact(arena.allocateFrom(OPT_OUT), arena.allocateFrom("1"), 1);
                if (status != 0) {
                    throw new IllegalStateException("setenv of " + OPT_OUT + " failed");
                }
            } catch (Throwable e) {
                throw new IllegalStateException("ONNX Runtime's telemetry cannot be switched off", e);
            }
        }
    }
}

package dev.meridian.engine.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.engine.kernels.KernelLibrary.Available;
import dev.meridian.engine.kernels.KernelLibrary.Reason;
import dev.meridian.engine.kernels.KernelLibrary.Unavailable;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;

class KernelLibraryTest {
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

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void aFileThatIsNoLibraryIsNotLoaded() {
        assertThat(reason(KernelFile.of("Linux", "aarch64", _ -> new ByteArrayInputStream(new byte[100]))
                        .load()))
                .isEqualTo(Reason.NOT_LOADED);
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

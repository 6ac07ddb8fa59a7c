package dev.meridian.processes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** An import onto a file system that is too small: a real one, in a name space of its own that needs no rights. */
class DiskFullTest {
    private static final Path SOURCE =
            Path.of(System.getProperty("meridian.root"), "models", "atlas-src", "checkpoint");
    private static final String LEFT = "--- left: ";

    @TempDir
    Path folder;

    /** Mounts a memory file system over $0, runs the rest there, and says what is in it afterwards. */
    private CliProcess.Ended onDiskOf(String size, List<String> program) throws IOException, InterruptedException {
        List<String> all = new ArrayList<>(List.of(
                "unshare",
                "--user",
                "--map-root-user",
                "--mount",
                "sh",
                "-c",
                "mount -t tmpfs -o size=" + size + " none \"$0\" || exit 77; \"$@\"; code=$?; echo \"" + LEFT
                        + "$(ls -A \"$0\")\"; exit $code",
                folder.toString()));
        all.addAll(program);
        return CliProcess.runAny(all);
    }

    private boolean canMount() throws InterruptedException {
        try {
            return onDiskOf("64k", List.of("true")).exitCode() == 0;
        } catch (IOException _) {
            return false; // There is no such program.
        }
    }

    private List<String> importing(String name) {
        String out = folder.resolve("models").resolve(name).toString();
        return CliProcess.command("import", SOURCE.toString(), "--weights", "int8", "--out", out);
    }

    private static void assertRefused(CliProcess.Ended ended, String left) {
        assertThat(ended.exitCode()).as(ended.output()).isEqualTo(1);
        assertThat(ended.output())
                .doesNotContain("Exception", "internal error", "\tat ", "is ready")
                .endsWith(LEFT + left + "\n");
    }

    @Test
    void anImportThatCannotFitIsRefusedBeforeItWrites() throws Exception {
        assumeTrue(canMount(), "file systems cannot be mounted here");
        CliProcess.Ended ended = onDiskOf("1m", importing("small"));
        assertRefused(ended, "");
        assertThat(ended.output()).containsPattern("models: \\d+ bytes are free, the bundle takes \\d+");
    }

    /** Each file system has room for a few files more than the one before; the bundle has eight and its folder. */
    @ParameterizedTest
    @ValueSource(ints = {3, 4, 5, 6, 8, 9})
    void anImportSaysWhichFileHadNoRoomAndLeavesNothing(int files) throws Exception {
        assumeTrue(canMount(), "file systems cannot be mounted here");
        CliProcess.Ended ended = onDiskOf("80m,nr_inodes=" + files, importing("small"));
        assertRefused(ended, "");
        assertThat(ended.output())
                .containsPattern("small\\.importing-\\d+(/[a-z_.]+)?( \\(|: )No space left on device");
    }

    /** There is room when the import looks; somebody else takes it as soon as the weights are begun. */
    @Test
    void aDiskThatFillsUpMeanwhileIsNamedWithTheFile() throws Exception {
        assumeTrue(canMount(), "file systems cannot be mounted here");
        List<String> filledUp = new ArrayList<>(List.of(
                "sh",
                "-c",
                "(until [ -e \"$0\"/models/.small*/model.onnx.data ]; do :; done;"
                        + " exec dd if=/dev/zero of=\"$0\"/filler bs=64k 2>/dev/null) & \"$@\"; code=$?; wait; exit $code",
                folder.toString()));
        filledUp.addAll(importing("small"));
        CliProcess.Ended ended = onDiskOf("80m", filledUp);
        assertRefused(ended, "filler");
        assertThat(ended.output()).containsPattern("small\\.importing-\\d+/[a-z_.]+: No space left on device");
    }

    @Test
    void anImportThatHasRoomIsWhole() throws Exception {
        assumeTrue(canMount(), "file systems cannot be mounted here");
        CliProcess.Ended ended = onDiskOf("80m", importing("large"));
        assertThat(ended.exitCode()).as(ended.output()).isZero();
        assertThat(ended.output()).contains("is ready").endsWith(LEFT + "models\n");
    }
}

package dev.meridian.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

final class ImportCommandTest {
    @TempDir
    private Path folder;

    private final StringWriter err = new StringWriter();
    private final CommandLine commandLine =
            Main.commandLine().setOut(new PrintWriter(new StringWriter())).setErr(new PrintWriter(err));

    private int run(String... options) {
        String[] all = new String[options.length + 4];
        all[0] = "import";
        all[1] = folder.toString();
        all[2] = "--out";
        all[3] = folder.resolve("out").toString();
        System.arraycopy(options, 0, all, 4, options.length);
        return commandLine.execute(all);
    }

    @Test
    void weightsOfAReadyMadeGraphCannotBeChosen() throws IOException {
        Files.writeString(folder.resolve("config.json"), "{}");
        Files.createFile(folder.resolve("model.onnx"));
        assertThat(run("--weights", "int4")).isEqualTo(2);
        assertThat(err.toString()).contains("--weights does not apply: a ready-made graph is copied as it is");
        assertThat(folder.resolve("out")).doesNotExist();
    }

    @Test
    void choicesAreListedWhereTheGraphIsNotClear() throws IOException {
        Files.writeString(folder.resolve("config.json"), "{}");
        Files.createFile(folder.resolve("model_q4.onnx"));
        Files.createFile(folder.resolve("model_int8.onnx"));
        assertThat(run()).isEqualTo(1);
        assertThat(err.toString()).contains("choose one with --onnx; there are model_int8.onnx, model_q4.onnx");
    }
}

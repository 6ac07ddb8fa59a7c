package dev.meridian.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

final class ScratchTest {
    private static Path filled(Scratch scratch) throws IOException {
        Path child = Files.createDirectories(scratch.folder().resolve("int8/deep"));
        Files.writeString(child.resolve("model.onnx"), "graph");
        return scratch.folder();
    }

    @Test
    void closingDeletesAllThatIsInside() throws IOException {
        Path folder;
        try (Scratch scratch = Scratch.create("meridian-test")) {
            folder = filled(scratch);
        }
        assertThat(folder).doesNotExist();
    }

    @Test
    void theEndOfTheProcessDeletesItTooAndClosingAfterwardsIsHarmless() throws IOException {
        Scratch scratch = Scratch.create("meridian-test");
        Path folder = filled(scratch);

        scratch.end();

        assertThat(folder).doesNotExist();
        scratch.close();
    }
}

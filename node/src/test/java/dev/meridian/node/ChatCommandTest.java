package dev.meridian.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.jline.reader.LineReader;
import org.jline.terminal.Terminal;
import org.jline.terminal.impl.DumbTerminal;
import org.junit.jupiter.api.Test;

final class ChatCommandTest {
    @Test
    void linesStayAsTheyWereTyped() throws IOException {
        String typed = "first\nwow!! and !first\nC:\\new\\table 'it's \"open\n";
        try (Terminal terminal = new DumbTerminal(
                "test",
                Terminal.TYPE_DUMB,
                new ByteArrayInputStream(typed.getBytes(StandardCharsets.UTF_8)),
                new ByteArrayOutputStream(),
                StandardCharsets.UTF_8)) {
            LineReader reader = ChatCommand.reader(terminal);

            assertThat(ChatCommand.read(reader)).isEqualTo("first");
            assertThat(ChatCommand.read(reader)).isEqualTo("wow!! and !first");
            assertThat(ChatCommand.read(reader)).isEqualTo("C:\\new\\table 'it's \"open");
            assertThat(ChatCommand.read(reader)).isNull();
        }
    }
}

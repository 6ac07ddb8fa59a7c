package dev.meridian.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class TableTest {
    @Test
    void columnsAreAsWideAsTheirWidestCell() {
        StringWriter text = new StringWriter();
        new Table(List.of("File", "Size", "State"), 1)
                .row(List.of("a", "1 B", "ok"))
                .row(List.of("longer", "100 B", ""))
                .print(new PrintWriter(text, true));

        assertThat(text.toString().lines())
                .containsExactly("File     Size  State", "a         1 B  ok", "longer  100 B");
    }

    @Test
    void aRowOfAnotherLengthIsRefused() {
        Table table = new Table(List.of("one", "two"));

        assertThatIllegalArgumentException().isThrownBy(() -> table.row(List.of("one")));
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0 B",
        "1023, 1023 B",
        "1024, 1.0 KiB",
        "1536, 1.5 KiB",
        "1048575, 1.0 MiB",
        "5368709120, 5.0 GiB",
        "9223372036854775807, 8388608.0 TiB",
    })
    void bytesAreShownInBinaryUnits(long bytes, String text) {
        assertThat(Bytes.format(bytes)).isEqualTo(text);
    }
}

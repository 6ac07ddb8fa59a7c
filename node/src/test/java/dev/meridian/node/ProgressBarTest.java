package dev.meridian.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

final class ProgressBarTest {
    private static final long SECOND_NANOS = 1_000_000_000L;

    private final StringWriter text = new StringWriter();
    private final AtomicLong nanoTime = new AtomicLong(5);

    @Test
    void aTerminalLineRewritesItself() {
        try (ProgressBar bar = bar(true)) {
            bar.update(0, 200, "embedding");
            nanoTime.addAndGet(3 * SECOND_NANOS);
            bar.update(50, 200, "layer 1");
            nanoTime.addAndGet(SECOND_NANOS);
            bar.update(200, 200, "head");
        }

        assertThat(text.toString())
                .isEqualTo("\r[..............................]   0 %  embedding\u001b[K"
                        + "\r[#######.......................]  25 %, 9 s left  layer 1\u001b[K"
                        + "\r[##############################] 100 %  head\u001b[K"
                        + System.lineSeparator());
    }

    @Test
    void aTerminalIsRedrawnTenTimesASecondAtMost() {
        try (ProgressBar bar = bar(true)) {
            for (int done = 0; done <= 1000; done++) {
                bar.update(done, 1000, "tensor");
                nanoTime.addAndGet(SECOND_NANOS / 1000);
            }
        }

        assertThat(text.toString().chars().filter(c -> c == '\r').count()).isEqualTo(11);
    }

    @Test
    void elsewhereEveryTenthIsALine() {
        try (ProgressBar bar = bar(false)) {
            for (int done = 0; done <= 300; done++) {
                bar.update(done, 300, "t" + done);
            }
        }

        assertThat(text.toString().lines())
                .containsExactly(
                        "0 % t0",
                        "10 % t30",
                        "20 % t60",
                        "30 % t90",
                        "40 % t120",
                        "50 % t150",
                        "60 % t180",
                        "70 % t210",
                        "80 % t240",
                        "90 % t270",
                        "100 % t300");
    }

    @Test
    void aLongLabelKeepsItsEnd() {
        bar(true).update(0, 1, "model.layers.31.self_attn.q_proj.weight");

        assertThat(text.toString()).endsWith("  …yers.31.self_attn.q_proj.weight\u001b[K");
    }

    @Test
    void moreThanAllIsRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> bar(true).update(2, 1, "x"));
    }

    private ProgressBar bar(boolean terminal) {
        return new ProgressBar(new PrintWriter(text), terminal, nanoTime::get);
    }
}

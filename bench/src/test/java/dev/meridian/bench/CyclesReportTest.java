package dev.meridian.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class CyclesReportTest {
    @Test
    void aSteadyGrowthIsFoundAndTheFirstCyclesDoNotCount() {
        List<Long> resident = new ArrayList<>();
        for (long i = 0; i < 30; i++) {
            resident.add(i < 9 ? i * 50_000_000 : 400_000_000 + (i - 9) * 2_000_000);
        }
        CyclesReport report = CyclesReport.of("atlas", "int8", 2, 10, resident);

        assertThat(report.fittedBytesPerCycle()).isCloseTo(2_000_000, within(1e-3));
        assertThat(report.meanBytesPerCycle()).isCloseTo(2_000_000, within(1e-3));
        assertThat(report.cycles()).isEqualTo(30);
    }

    @Test
    void noiseAroundALevelIsNoGrowth() {
        List<Long> resident = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            resident.add(400_000_000L + (i % 2 == 0 ? 3_000_000 : -3_000_000));
        }
        CyclesReport report = CyclesReport.of("atlas", "int8", 2, 10, resident);

        assertThat(Math.abs(report.fittedBytesPerCycle())).isLessThan(20_000);
        StringWriter table = new StringWriter();
        report.print(new PrintWriter(table, true));
        assertThat(table.toString())
                .contains("40 cycles of load")
                .contains("397.0")
                .contains("403.0");
    }
}

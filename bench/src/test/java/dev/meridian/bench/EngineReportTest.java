package dev.meridian.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;

final class EngineReportTest {
    private static final EngineReport REPORT = new EngineReport(
            "little",
            "int8",
            "avx2",
            2,
            64,
            128,
            128,
            64,
            5,
            1234.4,
            100.6,
            2_000_000,
            -1,
            List.of(
                    new EngineReport.Row("prefill of 64", 1, 1000.25, 900, 0.9, null),
                    new EngineReport.Row("decode, 4 sequences", 4, 40, 39.5, 0.9875, 1234.4)));

    @Test
    void whatIsNotMeasuredIsADashInEveryLanguage() {
        Locale before = Locale.getDefault();
        try {
            Locale.setDefault(Locale.GERMANY);
            StringWriter text = new StringWriter();
            REPORT.print(new PrintWriter(text, true));
            assertThat(text.toString().lines())
                    .containsExactly(
                            "little, int8 weights, kernels avx2, 2 threads, median of 5 rounds",
                            "load 101 ms (the first of the process 1234 ms), resident memory 2 MB"
                                    + " (the load brought unknown)",
                            "",
                            "                           bare tok/s engine tok/s    ratio   heap B/token",
                            "prefill of 64                  1000.3        900.0    0.900              -",
                            "decode, 4 sequences              40.0         39.5    0.988           1234");
        } finally {
            Locale.setDefault(before);
        }
    }
}

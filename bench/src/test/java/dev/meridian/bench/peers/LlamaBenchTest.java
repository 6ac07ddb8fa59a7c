package dev.meridian.bench.peers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.meridian.bench.MeasurementFailed;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With programs that print what llama.cpp's print. */
class LlamaBenchTest {
    private static final String TABLE = """
            llama_new_context_with_model: n_ctx = 4096
            |    PP |     TG |    B |   N_KV |   T_PP s | S_PP t/s |   T_TG s | S_TG t/s |      T s |    S t/s |
            |-------|--------|------|--------|----------|----------|----------|----------|----------|----------|
            |   128 |     64 |    8 |   1536 |    1.490 |   687.46 |    2.101 |   243.74 |    3.590 |   427.83 |
            """;

    @TempDir
    private Path folder;

    private Path bench;

    @BeforeEach
    void makeBench() throws Exception {
        bench = program("llama-bench", "echo '[{\"n_prompt\": 512, \"avg_ts\": 500.0}]'; echo noise >&2");
    }

    private Path program(String name, String script) throws Exception {
        Path file = Files.writeString(folder.resolve(name), "#!/bin/sh\n" + script + "\n");
        return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
    }

    private LlamaBench local() {
        return new LlamaBench(bench, folder.resolve("model.gguf"), 2, List.of("-rtr", "1"), List.of("-rtr"));
    }

    @Test
    void promptsAreMeasuredByLlamaBench() throws Exception {
        assertThat(local().run(Task.PREFILL_512)).isEqualTo(500);
        assertThat(local().run(Task.FIRST_128)).isEqualTo(256, within(1e-9));
    }

    @Test
    void decodingIsTheTablesRateWhereverItIsPrinted() throws Exception {
        assertThat(local().measures(Task.DECODE_8)).isFalse();
        program("llama-batched-bench", "cat >&2 <<'END'\n" + TABLE + "END");

        assertThat(local().measures(Task.DECODE_8)).isTrue();
        assertThat(local().run(Task.DECODE_8)).isEqualTo(243.74);
    }

    @Test
    void theProgramsGetTheirArguments() throws Exception {
        program("llama-batched-bench", "echo \"$@\" > " + folder + "/arguments; cat <<'END'\n" + TABLE + "END");
        local().run(Task.DECODE_8);

        assertThat(Files.readString(folder.resolve("arguments")))
                .contains("-t 2")
                .contains("-npp 128 -ntg 64 -npl 8")
                .endsWith("-rtr\n");
    }

    @Test
    void aProgramThatFailsIsNamedWithItsLastWords() throws Exception {
        bench = program("llama-bench", "echo 'unknown model architecture' >&2; exit 3");

        assertThatThrownBy(() -> local().run(Task.PREFILL_512))
                .isInstanceOf(MeasurementFailed.class)
                .hasMessageContaining("llama-bench")
                .hasMessageContaining("unknown model architecture");
    }

    @Test
    void loadingIsNotMeasured() {
        assertThat(local().measures(Task.LOAD)).isFalse();
        assertThat(local().resident()).isEmpty();
    }
}

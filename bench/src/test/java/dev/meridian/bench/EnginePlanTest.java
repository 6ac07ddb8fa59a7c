package dev.meridian.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.meridian.bench.load.Percentiles;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class EnginePlanTest {
    @Test
    void decodingBeginsAt128PositionsWhereThereIsRoom() {
        EnginePlan plan = EnginePlan.within(32_768, List.of(1, 16), 512, 64, 128, 5);

        assertThat(plan.decodeContext()).isEqualTo(128);
        assertThat(plan.contextTokens()).isEqualTo(513);
    }

    @Test
    void smallChunksTakeAStepForEachChunkOfEverySequence() {
        EnginePlan plan = EnginePlan.within(32_768, List.of(16), 64, 64, 16, 5);

        assertThat(plan.contextTokens()).isEqualTo(128 + 16 * 8 + 64 + 2);
    }

    @Test
    void aSmallContextShortensWhatDecodingBeginsWith() {
        EnginePlan plan = EnginePlan.within(128, List.of(16), 64, 64, 128, 5);

        assertThat(plan.decodeContext()).isEqualTo(128 - 16 - 64 - 2);
        assertThat(plan.contextTokens()).isEqualTo(128);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            0  | 64  | 64   | 128 | 5 | --sequences 0: expected at least 1
            4  | 0   | 64   | 128 | 5 | --prompt 0: expected at least 1
            4  | 64  | 0    | 128 | 5 | --tokens 0: expected at least 1
            4  | 64  | 64   | 0   | 5 | --chunk 0: expected at least 1
            4  | 64  | 64   | 128 | 0 | --rounds 0: expected at least 1
            4  | 512 | 64   | 128 | 5 | --prompt 512: the model's context of 512 tokens takes a prompt of at most 511
            4  | 64  | 9000 | 128 | 5 | --tokens 9000 with 4 sequences needs a context of at least 9007 tokens
            600 | 64 | 64   | 128 | 5 | --sequences 600: expected at most 128
            """)
    void whatCannotWorkIsNamed(int sequences, int prompt, int tokens, int chunk, int rounds, String message) {
        assertThatThrownBy(() -> EnginePlan.within(512, List.of(sequences), prompt, tokens, chunk, rounds))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith(message);
    }

    @Test
    void medianIsTheMiddleOrTheMeanOfTheTwoThere() {
        assertThat(Percentiles.median(new double[] {9, 1, 2})).isEqualTo(2);
        assertThat(Percentiles.median(new double[] {9, 1, 2, 4})).isEqualTo(3);
    }
}

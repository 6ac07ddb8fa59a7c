package dev.meridian.bench.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class PercentilesTest {
    @ParameterizedTest
    @CsvSource({"0, 1", "0.5, 100", "0.99, 198", "0.991, 199", "1, 200"})
    void aPercentileIsTheValueOfItsRank(double share, long value) {
        long[] backwards = LongStream.rangeClosed(1, 200).map(i -> 201 - i).toArray();

        assertThat(new Percentiles(backwards, 200).at(share)).isEqualTo(value);
    }

    @Test
    void onlyTheFirstValuesCount() {
        assertThat(new Percentiles(new long[] {3, 5, 0, 0}, 2).at(0)).isEqualTo(3);
        assertThatThrownBy(() -> new Percentiles(new long[4], 0)).hasMessageContaining("no value");
    }

    @Test
    void medianIsTheMiddleOrTheMeanOfTheTwoThere() {
        assertThat(Percentiles.median(new double[] {9, 1, 2})).isEqualTo(2);
        assertThat(Percentiles.median(new double[] {9, 1, 2, 4})).isEqualTo(3);
    }
}

package dev.meridian.bench.soak;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class GrowthTest {
    /** One a minute for an hour, with this many open files and resident bytes. */
    private static List<Sample> samples(IntToDoubleFunction files, IntToDoubleFunction resident) {
        return IntStream.rangeClosed(0, 60)
                .mapToObj(minute -> new Sample(
                        60 * minute,
                        resident.applyAsDouble(minute),
                        0,
                        1e6,
                        1e6,
                        0,
                        files.applyAsDouble(minute),
                        30,
                        Double.NaN,
                        0,
                        0,
                        0,
                        0,
                        0,
                        0,
                        minute % 2 == 0,
                        0,
                        0,
                        0,
                        0,
                        0,
                        0,
                        0,
                        0))
                .toList();
    }

    private static Growth of(String quantity, List<Sample> samples) {
        return Growth.of(samples).stream()
                .filter(growth -> growth.quantity().equals(quantity))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void aLeakGrowsAndNoiseDoesNot() {
        List<Sample> samples = samples(minute -> 60 + minute / 10, minute -> 7e8 + (minute % 3) * 1e6);

        assertThat(of("openFiles", samples).grows()).isTrue();
        assertThat(of("openFiles", samples).slopePerHour()).isBetween(5.0, 7.0);
        assertThat(of("residentBytes", samples).grows()).isFalse();
    }

    @Test
    void theFirstTenthDoesNotCount() {
        List<Sample> samples = samples(_ -> 60, minute -> minute < 6 ? 1e8 * minute : 7e8);

        assertThat(of("residentBytes", samples).slopePerHour()).isCloseTo(0, within(1e-9));
        assertThat(of("residentBytes", samples).samples()).isEqualTo(55);
    }

    @Test
    void whatTheNodeDoesNotTellIsLeftOutAndFullCollectionsAreOfTheirOwn() {
        List<Sample> samples = samples(_ -> 60, _ -> 7e8);

        assertThat(Growth.of(samples)).extracting(Growth::quantity).doesNotContain("processThreads");
        assertThat(of("heapAfterFullBytes", samples).samples()).isEqualTo(28);
    }
}

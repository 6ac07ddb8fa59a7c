package dev.meridian.bench.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

final class LineFitTest {
    @Test
    void aStraightLineHasItsSlopeAndNoResidual() {
        LineFit fit = LineFit.of(new double[] {0, 1, 2, 4}, new double[] {5, 8, 11, 17});

        assertThat(fit.slope()).isCloseTo(3, within(1e-12));
        assertThat(fit.mean()).isCloseTo(10.25, within(1e-12));
        assertThat(fit.residual()).isCloseTo(0, within(1e-9));
    }

    /** By hand: x = 0, 1, 2, 3 and y = 1, 3, 2, 4 give slope 0.8 and squares of 1.8 around the line. */
    @Test
    void deviationsAreTheResidualAndTheSlopesError() {
        LineFit fit = LineFit.of(new double[] {0, 1, 2, 3}, new double[] {1, 3, 2, 4});

        assertThat(fit.slope()).isCloseTo(0.8, within(1e-12));
        assertThat(fit.residual()).isCloseTo(Math.sqrt(1.8 / 2), within(1e-12));
        assertThat(fit.slopeError()).isCloseTo(Math.sqrt(0.9 / 5), within(1e-12));
    }

    @Test
    void whatHasNoSlopeIsRefused() {
        assertThatThrownBy(() -> LineFit.of(new double[] {1, 2}, new double[] {1, 2}))
                .hasMessageContaining("at least 3 points, not 2");
        assertThatThrownBy(() -> LineFit.of(new double[] {1, 1, 1}, new double[] {1, 2, 3}))
                .hasMessageContaining("same x");
    }
}

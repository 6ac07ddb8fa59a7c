package dev.meridian.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

final class AgreementTest {
    private static final float NEVER = Float.NEGATIVE_INFINITY;
    private static final double[] SURE = {0.8, 0.1, 0.1};
    private static final double[] UNSURE = {0.4, 0.3, 0.3};
    private static final double[] WRONG = {0.2, 0.5, 0.3};

    /** Of a text whose tokens are all 0; each row the probabilities of the tokens 0, 1 and 2. */
    private static Predictions of(double[]... probabilities) {
        Predictions predictions = new Predictions(probabilities.length);
        for (int i = 0; i < probabilities.length; i++) {
            float[] logits = new float[probabilities[i].length];
            for (int id = 0; id < logits.length; id++) {
                // Any constant may be added: logits are not normalised.
                logits[id] = probabilities[i][id] == 0 ? NEVER : (float) (Math.log(probabilities[i][id]) + 3 + i);
            }
            predictions.set(i, logits, 0);
        }
        return predictions;
    }

    private static double[] row(double... probabilities) {
        return probabilities;
    }

    @Test
    void theShareCountsTokensWhoseLikeliestIsTheSame() {
        Agreement agreement = Agreement.of(of(SURE, SURE, WRONG, WRONG, SURE), of(SURE, UNSURE, WRONG, SURE, WRONG));
        assertThat(agreement.sameTop()).isEqualTo(0.6);
    }

    @Test
    void differencesAreOfTheTrueTokensLogarithmsToEitherSide() {
        Agreement agreement = Agreement.of(of(SURE, UNSURE, UNSURE), of(UNSURE, SURE, WRONG));
        double two = Math.log(2);
        assertThat(agreement.meanDifference()).isCloseTo(two, within(1e-6));
        assertThat(agreement.greatestDifference()).isCloseTo(two, within(1e-6));
        Agreement far = Agreement.of(of(SURE, SURE), of(SURE, WRONG));
        assertThat(far.meanDifference()).isCloseTo(two, within(1e-6));
        assertThat(far.greatestDifference()).isCloseTo(2 * two, within(1e-6));
    }

    @Test
    void theRatioIsThatOfThePerplexities() {
        Predictions reference = of(SURE, UNSURE, WRONG);
        Predictions other = of(UNSURE, WRONG, WRONG);
        double expected = Math.exp(other.meanLoss()) / Math.exp(reference.meanLoss());
        assertThat(Agreement.of(reference, other).perplexityRatio()).isCloseTo(expected, within(1e-9));
        // (0.8 * 0.4 * 0.2) / (0.4 * 0.2 * 0.2) is 4, over three tokens.
        assertThat(expected).isCloseTo(Math.cbrt(4), within(1e-6));
    }

    @Test
    void aModelAgreesWithItself() {
        Predictions some = of(SURE, WRONG, row(0, 1, 0));
        assertThat(Agreement.of(some, of(SURE, WRONG, row(0, 1, 0)))).isEqualTo(new Agreement(1, 1, 0, 0));
    }

    @Test
    void aTokenThatOneModelAloneGivesNoChanceIsInfinitelyFar() {
        Agreement agreement = Agreement.of(of(SURE, WRONG), of(SURE, row(0, 0.6, 0.4)));
        assertThat(agreement.sameTop()).isEqualTo(1);
        assertThat(agreement.meanDifference()).isInfinite();
        assertThat(agreement.greatestDifference()).isInfinite();
        assertThat(agreement.perplexityRatio()).isInfinite();
    }

    @Test
    void textsOfDifferentLengthsAreRefused() {
        assertThatThrownBy(() -> Agreement.of(of(SURE, SURE), of(SURE)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("predictions of 2 tokens and of 1 are not of one text");
    }

    /** As the greedy sampler does. */
    @Test
    void amongEqualsTheSmallestIdIsTheLikeliest() {
        Predictions predictions = of(row(0.2, 0.4, 0.4), row(0.4, 0.2, 0.4));
        assertThat(predictions.likeliest(0)).isEqualTo(1);
        assertThat(predictions.likeliest(1)).isZero();
    }

    @Test
    void lossesAreNegativeLogarithmsOfProbabilities() {
        Predictions predictions = of(SURE, WRONG, row(0, 0.5, 0.5));
        assertThat(predictions.loss(0)).isCloseTo(-Math.log(0.8), within(1e-6));
        assertThat(predictions.loss(1)).isCloseTo(-Math.log(0.2), within(1e-6));
        assertThat(predictions.loss(2)).isEqualTo(Double.POSITIVE_INFINITY);
        assertThat(of(SURE, WRONG).meanLoss()).isCloseTo(-Math.log(0.8 * 0.2) / 2, within(1e-6));
    }
}

package dev.meridian.bench;

/**
 * How far one model's predictions of a text are from those of another, the reference, of the same text.
 *
 * @param sameTop share of the predicted tokens, 0 to 1, for which both hold the same token most likely
 * @param perplexityRatio the perplexity, divided by the reference's
 * @param meanDifference mean over the tokens of how far the logarithms of the true token's two probabilities are apart, in
 *     nats, at least 0
 * @param greatestDifference the greatest of these
 */
public record Agreement(double sameTop, double perplexityRatio, double meanDifference, double greatestDifference) {

    /** Throws IllegalArgumentException where the two are of texts of different lengths. */
    public static Agreement of(Predictions reference, Predictions other) {
        int count = reference.count();
        if (other.count() != count) {
            throw new IllegalArgumentException(
                    "predictions of " + count + " tokens and of " + other.count() + " are not of one text");
        }
        int same = 0;
        double sum = 0;
        double sumOfSizes = 0;
        double greatest = 0;
        for (int i = 0; i < count; i++) {
            if (reference.likeliest(i) == other.likeliest(i)) {
                same++;
            }
            double difference = difference(reference.loss(i), other.loss(i));
            sum += difference;
            sumOfSizes += Math.abs(difference);
            greatest = Math.max(greatest, Math.abs(difference));
        }
        return new Agreement((double) same / count, Math.exp(sum / count), sumOfSizes / count, greatest);
    }

    /** Two models that both give a token no chance do not differ there. */
    private static double difference(double reference, double other) {
        return reference == other ? 0 : other - reference;
    }
}

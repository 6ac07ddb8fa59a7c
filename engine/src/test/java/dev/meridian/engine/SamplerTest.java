package dev.meridian.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.meridian.engine.bundle.BundleManifest.SamplingDefaults;
import dev.meridian.protocol.Sampling;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SamplerTest {
    private static final int DRAWS = 20_000;

    private static SamplerSettings settings(Sampling sampling) {
        return SamplerSettings.resolve(sampling, SamplingDefaults.none());
    }

    private static float[] randomLogits(Random random, int size) {
        float[] logits = new float[size];
        for (int i = 0; i < size; i++) {
            logits[i] = (float) random.nextGaussian() * 2;
        }
        return logits;
    }

    /** The distribution after all filters, computed the slow way. */
    private static double[] expected(float[] logits, float temperature, int topK, float topP, float minP) {
        int n = logits.length;
        double[] p = new double[n];
        double max = Double.NEGATIVE_INFINITY;
        for (float logit : logits) {
            max = Math.max(max, logit / temperature);
        }
        for (int i = 0; i < n; i++) {
            p[i] = Math.exp(logits[i] / temperature - max);
        }
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            order.add(i);
        }
        order.sort(Comparator.comparingDouble((Integer i) -> -p[i]).thenComparingInt(i -> i));
        int kept = topK > 0 ? Math.min(topK, n) : n;
        double mass = order.subList(0, kept).stream().mapToDouble(i -> p[i]).sum();
        double cumulative = 0;
        double[] filtered = new double[n];
        double sum = 0;
        for (int rank = 0; rank < kept; rank++) {
            int i = order.get(rank);
            boolean keep = rank == 0 || (cumulative < topP * mass && p[i] >= minP);
            cumulative += p[i];
            if (!keep) {
                break;
            }
            filtered[i] = p[i];
            sum += p[i];
        }
        for (int i = 0; i < n; i++) {
            filtered[i] /= sum;
        }
        return filtered;
    }

    private static void checkFrequencies(long seed, float temperature, int topK, float topP, float minP) {
        Random random = new Random(seed);
        int size = 2 + random.nextInt(40);
        float[] logits = randomLogits(random, size);
        double[] expected = expected(logits, temperature, topK, topP, minP);
        Sampler sampler = new Sampler(size);
        SamplerSettings settings = settings(Requests.sampled(temperature, topK, topP, minP, seed));
        int[] hits = new int[size];
        for (int i = 0; i < DRAWS; i++) {
            hits[sampler.sample(logits.clone(), settings, new int[i], 0, i, 0)]++;
        }
        for (int i = 0; i < size; i++) {
            double frequency = hits[i] / (double) DRAWS;
            // Five standard deviations of a binomial.
            double tolerance = 5 * Math.sqrt(expected[i] * (1 - expected[i]) / DRAWS) + 1e-9;
            assertThat(frequency).as("seed %d token %d", seed, i).isCloseTo(expected[i], within(tolerance));
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5})
    void drawsFromTheDistribution(long seed) {
        checkFrequencies(seed, 0.7f, 0, 1f, 0f);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5})
    void topKKeepsTheKBest(long seed) {
        checkFrequencies(seed, 1f, 5, 1f, 0f);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5})
    void topPKeepsTheNucleus(long seed) {
        checkFrequencies(seed, 1.3f, 0, 0.8f, 0f);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5})
    void minPDropsTheUnlikely(long seed) {
        checkFrequencies(seed, 1f, 0, 1f, 0.1f);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5})
    void filtersCombine(long seed) {
        checkFrequencies(seed, 0.9f, 12, 0.9f, 0.05f);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void aVanishingNucleusIsGreedy(long seed) {
        float[] logits = randomLogits(new Random(seed), 100);
        Sampler sampler = new Sampler(100);
        int best = sampler.sample(logits.clone(), settings(Sampling.greedy()), new int[0], 0, 0, 0);
        int nucleus =
                sampler.sample(logits.clone(), settings(Requests.sampled(1f, 0, 1e-6f, 0f, seed)), new int[0], 0, 0, 0);
        assertThat(nucleus).isEqualTo(best);
    }

    @Test
    void topPIsOfTheWholeDistributionWhereTopKKeepsAll() {
        float[] logits = new float[22];
        java.util.Arrays.fill(logits, (float) Math.log(0.02));
        logits[0] = 0f;
        logits[1] = (float) Math.log(0.3);
        Sampler sampler = new Sampler(22);
        SamplerSettings settings = settings(Requests.sampled(1f, 22, 0.7f, 0f, 1));
        java.util.Set<Integer> drawn = new java.util.TreeSet<>();
        for (int i = 0; i < 500; i++) {
            drawn.add(sampler.sample(logits.clone(), settings, new int[i], 0, i, 0));
        }
        // 1.0 of 1.7 is 59 %: the second token is needed to reach 70 %.
        assertThat(drawn).containsExactly(0, 1);
    }

    @Test
    void tiesGoToTheLowerToken() {
        float[] logits = {1f, 3f, 3f, 2f};
        Sampler sampler = new Sampler(4);
        assertThat(sampler.sample(logits.clone(), settings(Sampling.greedy()), new int[0], 0, 0, 0))
                .isEqualTo(1);
        assertThat(sampler.margin()).isZero();
        assertThat(sampler.sample(logits, settings(Requests.sampled(1f, 1, 1f, 0f, 9)), new int[0], 0, 0, 0))
                .isEqualTo(1);
    }

    @Test
    void sameSeedChoiceAndIndexDrawTheSame() {
        Sampler one = new Sampler(50);
        Sampler other = new Sampler(50);
        float[] logits = randomLogits(new Random(4), 50);
        SamplerSettings settings = settings(Requests.sampled(1f, 0, 1f, 0f, 77));
        other.sample(logits.clone(), settings, new int[9], 0, 9, 3);
        for (int index = 0; index < 50; index++) {
            assertThat(one.sample(logits.clone(), settings, new int[index], 0, index, 2))
                    .isEqualTo(other.sample(logits.clone(), settings, new int[index], 0, index, 2));
        }
    }

    @Test
    void penaltiesAreThoseOfTheirDefinitions() {
        Sampling sampling = new Sampling(0f, null, null, null, 2f, 0.5f, 0.25f, Map.of(4, 3f), 0);
        // Prompt 0, 1; generated 1, 2, 2.
        float[] logits = {4f, 4f, -1f, 1f, 0f};
        new Sampler(5).sample(logits, settings(sampling), new int[] {0, 1, 1, 2, 2}, 2, 5, 0);
        assertThat(logits).containsExactly(2f, 2f - 0.75f, -2f - 1f, 1f, 3f);
    }

    @Test
    void uniformNumbersFillTheUnitInterval() {
        double sum = 0;
        int below = 0;
        for (int i = 0; i < DRAWS; i++) {
            double u = CounterRandom.uniform(5, i % 7, i);
            assertThat(u).isBetween(0.0, 1.0);
            sum += u;
            below += u < 0.25 ? 1 : 0;
        }
        assertThat(sum / DRAWS).isCloseTo(0.5, within(0.02));
        assertThat(below / (double) DRAWS).isCloseTo(0.25, within(0.02));
    }
}

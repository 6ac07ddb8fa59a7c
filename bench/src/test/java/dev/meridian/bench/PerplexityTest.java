package dev.meridian.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.meridian.engine.ScriptedRunner;
import dev.meridian.protocol.TokenIds;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class PerplexityTest {
    private static final int VOCABULARY = 11;
    private static final ScriptedRunner.Script MODEL = ScriptedRunner.hashing();

    private static int[] text(int count) {
        return new Random(7).ints(count, 0, VOCABULARY).toArray();
    }

    /** Of the token at {@code at}, after those that the first window with it holds. */
    private static float[] logits(int[] tokens, int at, int window, int stride) {
        int begin = 0;
        while (begin + window <= at) {
            begin += stride;
        }
        float[] logits = new float[VOCABULARY];
        MODEL.logits(Arrays.copyOfRange(tokens, begin, at), logits);
        return logits;
    }

    private static int likeliest(float[] logits) {
        return IntStream.range(0, logits.length)
                .boxed()
                .max(Comparator.<Integer>comparingDouble(id -> logits[id]).thenComparing(Comparator.reverseOrder()))
                .orElseThrow();
    }

    /** Each token by itself. */
    private static double direct(int[] tokens, int window, int stride) {
        double sum = 0;
        for (int at = 1; at < tokens.length; at++) {
            sum += loss(logits(tokens, at, window, stride), tokens[at]);
        }
        return sum / (tokens.length - 1);
    }

    @ParameterizedTest
    @CsvSource({
        "2, 16, 8, 4, 4",
        "3, 2, 1, 4, 4",
        "16, 16, 8, 4, 4",
        "17, 16, 8, 4, 4",
        "100, 16, 8, 4, 4",
        "101, 16, 8, 1, 16",
        "101, 16, 15, 3, 5",
        "101, 16, 1, 5, 1",
        "97, 13, 5, 5, 3"
    })
    void everyTokenCountsOnceAfterItsWindow(int count, int window, int stride, int rows, int chunk) {
        int[] tokens = text(count);
        ScriptedRunner runner = new ScriptedRunner(VOCABULARY, 5, 16, MODEL);
        List<Integer> progress = new ArrayList<>();

        Perplexity.Result result = Perplexity.of(runner, rows, chunk, tokens, window, stride, progress::add);

        double expected = direct(tokens, window, stride);
        assertThat(result.negativeLogLikelihood()).isCloseTo(expected, within(1e-9));
        assertThat(result.perplexity()).isCloseTo(Math.exp(expected), within(1e-6));
        assertThat(result.predictedTokens()).isEqualTo(count - 1);
        for (int at = 1; at < count; at++) {
            assertThat(result.predictions().likeliest(at - 1))
                    .as("the likeliest of token %d", at)
                    .isEqualTo(likeliest(logits(tokens, at, window, stride)));
        }
        assertThat(result.windows()).isEqualTo(1 + Math.max(0, Math.ceilDiv(count - window, stride)));
        assertThat(progress).isSorted().endsWith(count - 1);
        assertThat(runner.kvBytesNow()).as("what the slots still hold").isZero();
        assertThat(runner.calls())
                .noneMatch(call ->
                        call.startsWith("decode ") && Integer.parseInt(call.substring("decode ".length())) > rows);
    }

    @ParameterizedTest
    @CsvSource({"1, 1, 16", "5, 1, 16", "7, 4, 3", "12, 4, 1"})
    void ofAnswersEachTokenCountsAfterItsOwnTextAlone(int count, int rows, int chunk) {
        Random random = new Random(11);
        List<Perplexity.Continuation> continuations = new ArrayList<>();
        List<float[]> expected = new ArrayList<>();
        List<Integer> right = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int given = 1 + random.nextInt(9);
            int[] text =
                    random.ints(given + 1 + random.nextInt(7), 0, VOCABULARY).toArray();
            continuations.add(new Perplexity.Continuation(
                    TokenIds.of(Arrays.copyOf(text, given)),
                    TokenIds.of(Arrays.copyOfRange(text, given, text.length))));
            for (int at = given; at < text.length; at++) {
                float[] logits = new float[VOCABULARY];
                MODEL.logits(Arrays.copyOf(text, at), logits);
                expected.add(logits);
                right.add(text[at]);
            }
        }
        ScriptedRunner runner = new ScriptedRunner(VOCABULARY, 5, 16, MODEL);
        List<Integer> progress = new ArrayList<>();

        Perplexity.Result result = Perplexity.of(runner, rows, chunk, continuations, progress::add);

        assertThat(result.predictedTokens()).isEqualTo(expected.size());
        for (int i = 0; i < expected.size(); i++) {
            assertThat(result.predictions().likeliest(i)).as("token %d", i).isEqualTo(likeliest(expected.get(i)));
            assertThat(result.predictions().loss(i)).isCloseTo(loss(expected.get(i), right.get(i)), within(1e-5));
        }
        assertThat(result.windows()).isEqualTo(count);
        assertThat(progress).isSorted().endsWith(expected.size());
        assertThat(runner.kvBytesNow()).as("what the slots still hold").isZero();
    }

    private static double loss(float[] logits, int token) {
        double total = 0;
        for (float logit : logits) {
            total += Math.exp(logit);
        }
        return -Math.log(Math.exp(logits[token]) / total);
    }

    @Test
    void anAnswerWithoutATokenOrBeyondTheContextIsRefused() {
        ScriptedRunner runner = new ScriptedRunner(VOCABULARY, 2, 16, MODEL);
        TokenIds nine = TokenIds.of(text(9));
        List<Perplexity.Continuation> tooLong = List.of(new Perplexity.Continuation(nine, nine));
        assertThatThrownBy(() -> Perplexity.of(runner, 2, 4, tooLong, _ -> {}))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("18 tokens, of a context of 16");
        assertThatThrownBy(() -> new Perplexity.Continuation(nine, TokenIds.empty()))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aModelThatKnowsNothingIsAsPerplexAsItsVocabularyIsLarge() {
        ScriptedRunner runner = new ScriptedRunner(VOCABULARY, 2, 16, (_, into) -> Arrays.fill(into, 1e4f));
        assertThat(Perplexity.of(runner, 2, 4, text(40), 16, 8, _ -> {}).perplexity())
                .isCloseTo(VOCABULARY, within(1e-9));
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY})
    void logitsThatAreNoNumbersAreAFailure(float logit) {
        ScriptedRunner runner = new ScriptedRunner(VOCABULARY, 2, 16, (_, into) -> into[3] = logit);
        assertThatThrownBy(() -> Perplexity.of(runner, 2, 4, text(40), 16, 8, _ -> {}))
                .isInstanceOf(MeasurementFailed.class)
                .hasMessageContaining("logits are not finite");
    }

    @ParameterizedTest
    @CsvSource({"1, 16, 8, 2", "9, 17, 8, 2", "9, 1, 1, 2", "9, 16, 16, 2", "9, 16, 0, 2", "9, 16, 8, 3", "9, 16, 8, 0"
    })
    void whatCannotWorkIsRefused(int count, int window, int stride, int rows) {
        ScriptedRunner runner = new ScriptedRunner(VOCABULARY, 2, 16, MODEL);
        assertThatThrownBy(() -> Perplexity.of(runner, rows, 4, text(count), window, stride, _ -> {}))
                .isInstanceOf(IllegalArgumentException.class);
    }
}

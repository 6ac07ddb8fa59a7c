package dev.meridian.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.meridian.engine.LetterVocabulary;
import dev.meridian.engine.ScriptedRunner;
import dev.meridian.engine.text.Encoded;
import dev.meridian.protocol.ChatMessage;
import dev.meridian.protocol.Prompt;
import dev.meridian.protocol.Refusal;
import dev.meridian.protocol.Role;
import dev.meridian.protocol.TokenIds;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
final class EvaluationTest {
    private static final int CHUNK = 16;
    /** Every question has as many letters, for the script counts from there. */
    private static final int QUESTION_TOKENS = 5;

    private final Engines engines = new Engines();
    private final ScriptedRunner runner = new ScriptedRunner(
            LetterVocabulary.SIZE,
            4,
            64,
            ScriptedRunner.replying(QUESTION_TOKENS, LetterVocabulary.ids("lima"), LetterVocabulary.END));

    @AfterEach
    void closeEngines() {
        engines.close();
    }

    private static Question question(String kind, String answer) {
        return new Question(kind, List.of(new ChatMessage(Role.USER, "peru?")), answer);
    }

    private static Encoded encode(Prompt prompt) {
        return switch (prompt) {
            case Prompt.Chat(List<ChatMessage> messages) ->
                ids(messages.getLast().content());
            case Prompt.Text(String text) -> ids(text);
            case Prompt.Tokens(TokenIds ids) -> new Encoded.Ids(ids);
        };
    }

    private static Encoded ids(String text) {
        return new Encoded.Ids(TokenIds.of(LetterVocabulary.ids(text)));
    }

    private Evaluation.Result run(List<Question> questions, int inFlight, List<Integer> progress)
            throws InterruptedException {
        return Evaluation.run(
                EvaluationTest::encode,
                engines.over(runner, CHUNK, LetterVocabulary.END),
                questions,
                inFlight,
                progress::add);
    }

    @Test
    void countsExactRepliesByKindAndTellsItsProgress() throws InterruptedException {
        List<Integer> progress = new ArrayList<>();

        Evaluation.Result result = run(
                List.of(question("capital", "lima"), question("capital", "quito"), question("other", " lima\n")),
                2,
                progress);

        assertThat(result.all()).isEqualTo(new Evaluation.Score(2, 3));
        assertThat(result.score("capital")).isEqualTo(new Evaluation.Score(1, 2));
        assertThat(result.score("other")).isEqualTo(new Evaluation.Score(1, 1));
        assertThat(result.wrong()).containsExactly("peru? -> lima (right: quito)");
        assertThat(progress).isSorted().endsWith(3);
    }

    /** A question takes a step of prefill and four of decoding: the last numbers break in the last questions. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 12, 24, 25})
    void aBrokenEngineIsNeverAResult(int atStep) {
        AtomicInteger steps = new AtomicInteger();
        runner.beforeStep(() -> {
            if (steps.incrementAndGet() == atStep) {
                throw new IllegalStateException("out of memory in MatMul");
            }
        });
        List<Question> questions =
                IntStream.range(0, 5).mapToObj(_ -> question("capital", "lima")).toList();

        assertThatThrownBy(() -> run(questions, 1, new ArrayList<>()))
                .isInstanceOf(MeasurementFailed.class)
                .hasMessageContaining("the engine failed")
                .hasMessageContaining("out of memory in MatMul");
    }

    @Test
    void aRefusedQuestionIsNamed() {
        assertThatThrownBy(() -> Evaluation.run(
                        _ -> new Encoded.Refused(new Refusal.InvalidRequest("messages", "empty")),
                        engines.over(runner, CHUNK),
                        List.of(question("capital", "lima")),
                        1,
                        _ -> {}))
                .isInstanceOf(MeasurementFailed.class)
                .hasMessageContaining("question 0")
                .hasMessageContaining("empty");
    }
}

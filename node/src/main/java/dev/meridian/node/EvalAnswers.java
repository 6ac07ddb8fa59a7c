package dev.meridian.node;

import dev.meridian.bench.Perplexity;
import dev.meridian.bench.Perplexity.Continuation;
import dev.meridian.bench.Question;
import dev.meridian.engine.LoadedModel;
import dev.meridian.engine.text.Encoded;
import dev.meridian.protocol.Prompt;
import dev.meridian.protocol.TokenIds;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The right answers to questions, each after its own question as the model's chat template renders it, and before the first of
 * the model's end tokens, which counts as well: a model that was taught replies alone knows nothing of what is asked.
 *
 * @param file where they come from
 */
record EvalAnswers(Path file, List<Question> questions) implements EvalSubject {
    EvalAnswers {
        questions = List.copyOf(questions);
    }

    @Override
    public Perplexity.Result predict(LoadedModel model, int rows, int chunk, int window, Counted counted) {
        int prefix = prefixTokens(model);
        List<Continuation> texts = new ArrayList<>();
        for (int i = 0; i < questions.size(); i++) {
            texts.add(continuation(model, i, prefix, window));
        }
        int all = texts.stream().mapToInt(text -> text.right().size()).sum();
        return Perplexity.of(model.runner(), rows, chunk, texts, done -> counted.tokens(done, all));
    }

    /** What the tokenizer puts before every text (BOS); an answer does not begin one. */
    private static int prefixTokens(LoadedModel model) {
        return model.encodeWhole("") instanceof Encoded.Ids(TokenIds ids) ? ids.size() : 0;
    }

    private Continuation continuation(LoadedModel model, int index, int prefix, int window) {
        Question question = questions.get(index);
        TokenIds given = ids(index, model.encode(new Prompt.Chat(question.messages())));
        int[] whole = ids(index, model.encodeWhole(question.answer())).toArray();
        List<Integer> ends = model.manifest().eosTokenIds();
        int[] right = Arrays.copyOfRange(whole, prefix, whole.length + Math.min(1, ends.size()));
        if (!ends.isEmpty()) {
            right[right.length - 1] = ends.getFirst();
        }
        if (right.length == 0) {
            throw refused(index, "its answer has no token");
        }
        if (given.size() + right.length > window) {
            throw refused(
                    index,
                    (given.size() + right.length) + " tokens with its answer, at most " + window + " are run together");
        }
        return new Continuation(given, TokenIds.of(right));
    }

    private TokenIds ids(int index, Encoded encoded) {
        return switch (encoded) {
            case Encoded.Ids(TokenIds ids) -> ids;
            case Encoded.Refused(var reason) -> throw refused(index, Refusals.sentence(reason));
        };
    }

    private CommandFailed refused(int index, String why) {
        return new CommandFailed(file + ": line " + (index + 1) + ": " + why);
    }
}

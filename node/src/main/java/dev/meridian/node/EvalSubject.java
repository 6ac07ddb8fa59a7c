package dev.meridian.node;

import dev.meridian.bench.Perplexity;
import dev.meridian.engine.LoadedModel;

/** What models are to foresee, token by token. */
sealed interface EvalSubject permits EvalText, EvalAnswers {
    /**
     * Runs it over a model that nobody else uses.
     *
     * @param rows the most sequences that run together
     * @param chunk the most tokens of one prefill
     * @param window the most tokens of one sequence
     * @throws CommandFailed where the model's tokens of it cannot be run
     */
    Perplexity.Result predict(LoadedModel model, int rows, int chunk, int window, Counted counted);

    /** Hears after each pass how many tokens of all that count have been counted. */
    interface Counted {
        void tokens(int done, int all);
    }
}

package dev.meridian.node;

import dev.meridian.bench.Evaluation;
import dev.meridian.bench.Question;
import dev.meridian.engine.LoadedModel;
import dev.meridian.engine.ModelSettings;
import dev.meridian.engine.bundle.Bundle;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;

/**
 * Asks bundles the same questions, each loaded for it alone, as a node would serve it.
 *
 * @param settings of a node
 * @param progress where its bars go
 */
record QuestionRun(List<Question> questions, ModelSettings settings, PrintWriter progress) {
    private static final int IN_FLIGHT = 32;

    QuestionRun {
        questions = List.copyOf(questions);
    }

    /** Throws IOException where the file is missing or a line is no question, CommandFailed where there is no line. */
    static List<Question> read(Path file) throws IOException {
        List<Question> questions = Question.read(file);
        if (questions.isEmpty()) {
            throw new CommandFailed(file + ": no question in it");
        }
        return questions;
    }

    /** The same with other operators. */
    QuestionRun withKernels(ModelSettings.Kernels kernels) {
        return new QuestionRun(questions, settings.withKernels(kernels), progress);
    }

    /** Blocks until all are answered; {@code label} names the bundle on the bar. Throws as {@link Models#load} does. */
    Evaluation.Result run(Bundle bundle, String label) throws InterruptedException {
        int inFlight = Math.min(IN_FLIGHT, settings.queueCapacity());
        try (LoadedModel model = Models.load(List.of(bundle), settings).getFirst();
                ProgressBar bar = ProgressBar.on(progress)) {
            return Evaluation.run(model, questions, inFlight, done -> {
                bar.update(done, questions.size(), label + ": " + done + " of " + questions.size() + " questions");
            });
        }
    }
}

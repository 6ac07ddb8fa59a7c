package dev.meridian.node;

import dev.meridian.bench.Question;
import dev.meridian.bench.load.ReportOption;
import dev.meridian.builder.source.ImportException;
import dev.meridian.engine.ModelSettings;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code bench quality}. It stands here because it imports models, which the other measurements do not. */
@Command(
        name = "quality",
        description = {
            "What f16, int8 and int4 weights change of what a model says, with Meridian's operators and without.",
            "The variants of a Hugging Face folder are made in a folder for temporary files and compared with f32."
        })
final class QualityCommand implements Callable<Integer> {
    @Parameters(paramLabel = "<folder>", description = "config.json, *.safetensors, tokenizer.json, ...")
    private Path source;

    @Option(
            names = "--text",
            paramLabel = "FILE",
            description = "A UTF-8 text whose tokens the variants foresee one by one.")
    private @Nullable Path textFile;

    @Option(
            names = "--questions",
            paramLabel = "FILE",
            description = {
                "Ask these questions: JSON lines of kind, messages and answer.",
                "Without --text, tokens of the right answers are foreseen."
            })
    private @Nullable Path questionFile;

    @Option(
            names = "--tokens",
            paramLabel = "N",
            defaultValue = "4096",
            description = "The most tokens of the text that are run. Default: ${DEFAULT-VALUE}.")
    private int tokens;

    @Option(
            names = "--config",
            paramLabel = "FILE",
            description = "Configuration in HOCON, of which meridian.engine counts, but for its kernels.")
    private @Nullable Path config;

    @Mixin
    private ReportOption output = new ReportOption();

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException, ImportException, InterruptedException {
        PrintWriter err = spec.commandLine().getErr();
        // What is wrong with the files is said before any variant is made.
        ModelSettings settings = NodeSettings.load(config, Map.of()).models();
        List<Question> questions = questionFile == null ? List.of() : QuestionRun.read(questionFile);
        EvalSubject subject = subject(questions);
        QuestionRun asked = questions.isEmpty() ? null : new QuestionRun(questions, settings, err);
        QualityReport report = new QualityEvaluation(source, new TextRun(subject, settings, err), asked, err).run();
        output.print(spec.commandLine().getOut(), report, report::print);
        return 0;
    }

    private EvalSubject subject(List<Question> questions) {
        if (textFile != null) {
            return EvalText.of(spec, textFile, "--tokens", tokens, source);
        }
        if (questionFile == null) {
            throw new ParameterException(spec.commandLine(), "Missing --text=FILE or --questions=FILE");
        }
        return new EvalAnswers(questionFile, questions);
    }
}

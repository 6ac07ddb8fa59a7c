package dev.meridian.node;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.bench.Evaluation;
import dev.meridian.bench.Question;
import dev.meridian.builder.ImportRequest;
import dev.meridian.builder.Importer;
import dev.meridian.builder.KvType;
import dev.meridian.builder.ProgressListener;
import dev.meridian.builder.quant.Weights;
import dev.meridian.engine.LoadedModel;
import dev.meridian.engine.bundle.Bundle;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The models that ship are what the importer makes of their source, and know what they were taught. */
class AtlasBundlesTest {
    private static final Path MODELS = Path.of(System.getProperty("meridian.root"), "models");
    private static final Path SOURCE = MODELS.resolve("atlas-src");
    private static final int IN_FLIGHT = 32;

    @TempDir
    private Path scratch;

    private Path imported(Weights weights) throws Exception {
        Path out = scratch.resolve(weights.label());
        new Importer()
                .run(
                        new ImportRequest(SOURCE.resolve("checkpoint"), out, weights, KvType.F32),
                        ProgressListener.none());
        return out;
    }

    private static List<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @ParameterizedTest
    @CsvSource({"atlas, INT8", "atlas-int4, INT4"})
    void theBundlesAreTheImportersOutputByteForByte(String id, Weights weights) throws Exception {
        Path made = imported(weights);
        Path shipped = MODELS.resolve(id);
        assertThat(names(shipped)).isEqualTo(names(made));
        for (String name : names(made)) {
            assertThat(Files.mismatch(shipped.resolve(name), made.resolve(name)))
                    .as(name)
                    .isEqualTo(-1);
        }
        assertThat(Bundle.open(shipped).verify()).isEmpty();
    }

    private double accuracy(Weights weights, List<Question> questions) throws Exception {
        NodeSettings settings = NodeSettings.load(null, Map.of());
        Bundle bundle = Bundle.open(imported(weights));
        try (LoadedModel model = Models.load(List.of(bundle), settings.models()).getFirst()) {
            return Evaluation.run(model, questions, IN_FLIGHT, _ -> {}).all().accuracy();
        }
    }

    @Test
    void allVariantsAnswerQuestionsInPhrasingsTheyNeverSaw() throws Exception {
        List<Question> questions = Question.read(SOURCE.resolve("questions.jsonl"));
        double f32 = accuracy(Weights.F32, questions);
        double int8 = accuracy(Weights.INT8, questions);
        double int4 = accuracy(Weights.INT4, questions);
        assertThat(questions).hasSizeGreaterThan(2_000);
        assertThat(f32).as("f32").isGreaterThanOrEqualTo(0.9);
        assertThat(int8).as("int8 beside f32 of %f", f32).isGreaterThanOrEqualTo(f32 - 0.01);
        assertThat(int4).as("int4 beside f32 of %f", f32).isGreaterThanOrEqualTo(f32 - 0.03);
    }
}

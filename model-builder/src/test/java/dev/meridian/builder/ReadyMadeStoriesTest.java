package dev.meridian.builder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.meridian.builder.quant.Weights;
import dev.meridian.builder.source.ImportException;
import dev.meridian.engine.Engine;
import dev.meridian.engine.LoadedModel;
import dev.meridian.engine.ModelRunner;
import dev.meridian.engine.ModelSettings;
import dev.meridian.engine.RecordingListener;
import dev.meridian.engine.SequenceRequest;
import dev.meridian.engine.bundle.Bundle;
import dev.meridian.engine.bundle.CheckedBundle;
import dev.meridian.engine.bundle.VerifiedFiles;
import dev.meridian.engine.onnx.GraphRunners;
import dev.meridian.engine.onnx.RunnerSettings;
import dev.meridian.engine.text.Encoded;
import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.Generation;
import dev.meridian.protocol.Prompt;
import dev.meridian.protocol.Sampling;
import dev.meridian.protocol.TokenIds;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Trained models as other tools exported them, where they lie beside the checkout. */
class ReadyMadeStoriesTest {
    private static final int NEW_TOKENS = 120;
    private static Path models = Path.of("");

    @TempDir
    Path folder;

    @BeforeAll
    static void findModels() {
        models = Path.of(System.getProperty("meridian.assets", ""), "llm");
        Assumptions.assumeTrue(Files.isDirectory(models), "no models beside the checkout");
    }

    private Bundle imported(String name, Path source, @Nullable String onnx) throws ImportException {
        Path out = folder.resolve(name);
        new Importer().run(new ImportRequest(source, out, Weights.F32, KvType.F32, onnx), ProgressListener.none());
        return Bundle.open(out);
    }

    @Test
    void theExportTellsTheStoryThatTheWeightsTell() throws Exception {
        Path source = models.resolve("TinyStories-656K");
        List<String> fromWeights = stories(imported("weights", source, null));
        List<String> fromExport = stories(imported("export", source, "model.onnx"));
        assertThat(fromWeights.getFirst()).hasSizeGreaterThan(100);
        assertThat(fromExport).isEqualTo(fromWeights);
    }

    /** Two choices of one prompt, and a second prompt, at once. */
    private static List<String> stories(Bundle bundle) {
        Generation two = new Generation(Sampling.greedy(), 2, NEW_TOKENS, List.of(), -1);
        RecordingListener listener = new RecordingListener();
        List<String> texts = new ArrayList<>();
        try (LoadedModel model = LoadedModel.open(bundle, new ModelSettings(1L << 30, 4, 256, 16, 8, 1))) {
            Engine engine = model.start(listener, System::nanoTime);
            for (String prompt : List.of("Once upon a time there was a dog", "Lily and Tom went to the park")) {
                TokenIds ids = ((Encoded.Ids) model.encode(new Prompt.Text(prompt))).ids();
                List<SequenceRequest> choices = new ArrayList<>();
                for (int choice = 0; choice < 2; choice++) {
                    choices.add(new SequenceRequest(
                            new Attempt(prompt, 1), choice, ids, TokenIds.empty(), two, Long.MAX_VALUE / 2));
                }
                assertThat(engine.submit(choices)).isEmpty();
            }
            for (String prompt : List.of("Once upon a time there was a dog", "Lily and Tom went to the park")) {
                for (int choice = 0; choice < 2; choice++) {
                    listener.awaitFinish(new Attempt(prompt, 1), choice);
                    texts.add(listener.text(new Attempt(prompt, 1), choice));
                }
            }
        }
        return texts;
    }

    /** llama2.c's tokenizer is no tokenizer.json: refused by name, and the graph itself runs on token ids. */
    @Test
    void aModelWithLlama2cTokenizerIsRefusedAndItsGraphRuns() throws Exception {
        Path source = Files.createDirectories(folder.resolve("stories260K"));
        Files.createDirectory(source.resolve("onnx"));
        Files.copy(models.resolve("stories260K/onnx/model.onnx"), source.resolve("onnx/model.onnx"));
        Files.writeString(
                source.resolve("config.json"),
                "{\"model_type\": \"llama\", \"num_attention_heads\": 8, \"hidden_size\": 64,"
                        + " \"max_position_embeddings\": 512}");
        assertThatThrownBy(() -> imported("out", source, null))
                .isInstanceOf(ImportException.class)
                .hasMessageContaining("tokenizer.json: no such file; a tokenizer is needed");
        ByteTokenizer.write(source.resolve("tokenizer.json"), 512);
        Bundle bundle = imported("out", source, null);
        try (ModelRunner runner =
                GraphRunners.open(CheckedBundle.of(bundle, VerifiedFiles.none()), new RunnerSettings(2, 512, 16, 1))) {
            // A trained model is far surer of its own story than one that reads it wrong: BOS and then its greedy
            // tokens.
            int[] story = greedy(runner, 0, new int[] {1}, 60);
            assertThat(greedy(runner, 1, java.util.Arrays.copyOf(story, 30), 31))
                    .isEqualTo(story);
            assertThat(java.util.Arrays.stream(story).distinct().count()).isGreaterThan(20);
        }
    }

    private static int[] greedy(ModelRunner runner, int slot, int[] prompt, int count) {
        int[] all = java.util.Arrays.copyOf(prompt, prompt.length + count);
        float[] logits = new float[runner.vocabSize()];
        for (int at = 0; at < all.length; at++) {
            if (at >= prompt.length) {
                runner.logits(0, logits);
                for (int id = 1; id < logits.length; id++) {
                    all[at] = logits[id] > logits[all[at]] ? id : all[at];
                }
            }
            runner.prefill(slot, at, all, at, 1, true);
        }
        return all;
    }
}

package dev.meridian.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.builder.HfFolder;
import dev.meridian.builder.ImportRequest;
import dev.meridian.builder.Importer;
import dev.meridian.builder.KvType;
import dev.meridian.builder.ProgressListener;
import dev.meridian.builder.ReferenceModel;
import dev.meridian.builder.quant.Weights;
import dev.meridian.engine.bundle.Bundle;
import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.Entry;
import dev.meridian.protocol.Generation;
import dev.meridian.protocol.Sampling;
import dev.meridian.protocol.TokenIds;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A checkpoint of float16, imported as float16, served by the engine's own thread. */
class HalfWeightsEngineTest {
    private static final int TOKENS = 40;

    @TempDir
    Path folder;

    @Test
    @Timeout(60)
    void streamsTheTokensOfTheReference() throws Exception {
        Path source = HfFolder.of("qwen3")
                .with("tie_word_embeddings", "true")
                .stored("F16")
                .write(folder.resolve("source"), 12);
        Path out = folder.resolve("bundle");
        new Importer().run(new ImportRequest(source, out, Weights.F16, KvType.F32), ProgressListener.none());
        int[] prompt = {5, 90, 17, 33};
        int[] expected = ReferenceModel.load(source).greedy(prompt, TOKENS);
        ModelSettings settings = new ModelSettings(1L << 30, 2, 64, 16, 4, 1);
        RecordingListener listener = new RecordingListener();
        Attempt attempt = new Attempt("half", 1);
        try (LoadedModel model = LoadedModel.open(Bundle.open(out), settings)) {
            Engine engine = model.start(listener, System::nanoTime, List.of());
            Generation generation = new Generation(Sampling.greedy(), 1, TOKENS, List.of(), -1);
            SequenceRequest request = new SequenceRequest(
                    attempt, 0, TokenIds.of(prompt), TokenIds.empty(), generation, Long.MAX_VALUE / 2);
            assertThat(engine.submit(List.of(request))).isEmpty();
            listener.awaitFinish(attempt, 0);
        }
        assertThat(listener.failures()).isEmpty();
        assertThat(listener.entries(attempt, 0).stream().mapToInt(Entry::tokenId))
                .containsExactly(java.util.Arrays.stream(expected).boxed().toArray(Integer[]::new));
    }
}

package dev.meridian.builder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.meridian.builder.quant.Weights;
import dev.meridian.engine.bundle.Bundle;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A trained model, where it lies beside the checkout. */
class TinyStoriesTest {
    private static final int[] PROMPT = {1, 300, 17, 901, 44};

    private static Path source = Path.of("");

    @TempDir
    Path folder;

    @BeforeAll
    static void findModel() {
        source = Path.of(System.getProperty("meridian.assets", ""), "llm", "TinyStories-656K");
        Assumptions.assumeTrue(Files.isDirectory(source), "no TinyStories-656K beside the checkout");
    }

    @Test
    void greedyTokensEqualTheReference() throws Exception {
        int[] expected = ReferenceModel.load(source).greedy(PROMPT, 100);
        Bundle bundle = TestBundles.imported(source, folder.resolve("stories"), Weights.F32);
        assertThat(greedy(bundle, 100)).isEqualTo(expected);
    }

    @Test
    void int8LogitsStayCloseToTheReference() throws Exception {
        double[] expected = ReferenceModel.load(source).logits(PROMPT).getLast();
        Bundle bundle = TestBundles.imported(source, folder.resolve("stories"), Weights.INT8);
        try (GraphSession session = TestBundles.session(bundle, 1)) {
            float[] logits = session.run(0, new int[][] {PROMPT}, new int[] {0}, PROMPT.length - 1)[0];
            for (int i = 0; i < expected.length; i++) {
                assertThat((double) logits[i]).isCloseTo(expected[i], within(0.5));
            }
        }
    }

    private static int[] greedy(Bundle bundle, int count) throws Exception {
        try (GraphSession session = TestBundles.session(bundle, 1)) {
            float[] logits = session.run(0, new int[][] {PROMPT}, new int[] {0}, PROMPT.length - 1)[0];
            int[] out = new int[count];
            for (int i = 0; i < count; i++) {
                for (int id = 1; id < logits.length; id++) {
                    out[i] = logits[id] > logits[out[i]] ? id : out[i];
                }
                logits = session.run(0, new int[][] {{out[i]}}, new int[] {PROMPT.length + i}, 0)[0];
            }
            return out;
        }
    }
}

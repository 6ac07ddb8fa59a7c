package dev.meridian.builder;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.builder.quant.Weights;
import dev.meridian.engine.ModelRunner;
import dev.meridian.engine.Rows;
import dev.meridian.engine.bundle.Bundle;
import dev.meridian.engine.bundle.CheckedBundle;
import dev.meridian.engine.bundle.VerifiedFiles;
import dev.meridian.engine.kernels.KernelLibrary;
import dev.meridian.engine.onnx.GraphRunners;
import dev.meridian.engine.onnx.RunnerSettings;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * With Meridian's own operators the logits after a token are those of its sequence alone, to the bit: however it is cut into
 * passes, whatever else stands in them, in any slot, on one thread or several.
 */
class ExactSchedulesTest {
    private static final int SLOTS = 4;
    private static final int TOKENS = 60;
    private static final int CHUNK = 24;

    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({"INT8, llama", "INT4, llama", "INT4, qwen2", "INT8, qwen3", "INT4, qwen3"})
    void everyScheduleGivesTheSameBits(Weights weights, String family) throws Exception {
        KernelLibrary library = KernelLibrary.ofProcess();
        Assumptions.assumeTrue(library instanceof KernelLibrary.Available, library::toString);
        Path kernels = ((KernelLibrary.Available) library).file();
        Path source = HfFolder.of(family).with("hidden_size", "64").write(folder.resolve("source"), 11);
        CheckedBundle bundle =
                CheckedBundle.of(TestBundles.imported(source, folder.resolve("bundle"), weights), VerifiedFiles.none());
        Bundle opened = bundle.bundle();
        List<int[]> texts = new ArrayList<>();
        for (int i = 0; i < SLOTS; i++) {
            texts.add(TestBundles.tokens(TOKENS, opened.manifest().shape().vocabSize(), i));
        }
        List<float[][]> alone = new ArrayList<>();
        try (ModelRunner runner = open(bundle, kernels, 1)) {
            for (int[] text : texts) {
                alone.add(tokenByToken(runner, text));
            }
        }
        for (int threads = 1; threads <= 2; threads++) {
            try (ModelRunner runner = open(bundle, kernels, threads)) {
                for (int seed = 0; seed < 12; seed++) {
                    new Schedule(runner, texts, alone, new Random(seed)).run();
                }
            }
        }
    }

    private static ModelRunner open(CheckedBundle bundle, Path kernels, int threads) {
        ModelRunner runner =
                GraphRunners.open(bundle, new RunnerSettings(SLOTS, 64, CHUNK, threads, Optional.of(kernels)));
        assertThat(runner.runsRows()).isTrue();
        return runner;
    }

    private static float[][] tokenByToken(ModelRunner runner, int[] text) {
        float[][] logits = new float[text.length][runner.vocabSize()];
        for (int position = 0; position < text.length; position++) {
            runner.decode(1, new int[] {text[position]}, new int[] {position});
            runner.logits(0, logits[position]);
        }
        runner.releaseSlot(0, text.length);
        return logits;
    }

    /** Random passes over all texts, each in a slot of its own, some of which change, and some of which are lost. */
    private static final class Schedule {
        private final ModelRunner runner;
        private final List<int[]> texts;
        private final List<float[][]> alone;
        private final Random random;
        private final Rows rows = new Rows(SLOTS + CHUNK, SLOTS);
        private final int[] slots = {0, 1, 2, 3};
        private final int[] filled = new int[SLOTS];

        Schedule(ModelRunner runner, List<int[]> texts, List<float[][]> alone, Random random) {
            this.runner = runner;
            this.texts = texts;
            this.alone = alone;
            this.random = random;
        }

        void run() {
            while (Arrays.stream(filled).anyMatch(count -> count < TOKENS)) {
                pass();
                int some = random.nextInt(SLOTS);
                int other = random.nextInt(SLOTS);
                if (some != other && random.nextInt(4) == 0) {
                    runner.swapSlots(slots[some], filled[some], slots[other], filled[other]);
                    int slot = slots[some];
                    slots[some] = slots[other];
                    slots[other] = slot;
                }
                if (random.nextInt(12) == 0) {
                    runner.releaseSlot(slots[some], filled[some]);
                    filled[some] = 0;
                }
            }
            for (int i = 0; i < SLOTS; i++) {
                runner.releaseSlot(slots[i], filled[i]);
            }
        }

        private void pass() {
            rows.clear();
            List<Integer> wanted = new ArrayList<>();
            for (int i = 0; i < SLOTS; i++) {
                int count = Math.min(TOKENS - filled[i], random.nextInt(3) == 0 ? random.nextInt(8) : 1);
                for (int n = 0; n < count; n++, filled[i]++) {
                    rows.add(slots[i], filled[i], texts.get(i)[filled[i]]);
                }
                if (count > 0) {
                    rows.want();
                    wanted.add(i);
                }
            }
            if (rows.count() == 0) {
                return;
            }
            runner.run(rows);
            float[] logits = new float[runner.vocabSize()];
            for (int row = 0; row < wanted.size(); row++) {
                int text = wanted.get(row);
                runner.logits(row, logits);
                assertThat(logits)
                        .as("text %d at %d", text, filled[text] - 1)
                        .containsExactly(alone.get(text)[filled[text] - 1]);
            }
        }
    }
}

package dev.meridian.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.engine.bundle.BundleManifest.SamplingDefaults;
import dev.meridian.protocol.Entry;
import dev.meridian.protocol.Generation;
import dev.meridian.protocol.Timings;
import dev.meridian.protocol.TokenIds;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A generation cut at any token and continued by another engine is the undisturbed one. */
class ContinuationTest {
    private static List<Entry> generate(SequenceRequest request) throws InterruptedException {
        RecordingListener listener = new RecordingListener();
        Engine engine = new Engine(
                "test",
                new ScriptedRunner(LetterVocabulary.SIZE, 2, 80, ScriptedRunner.hashing()),
                new LetterVocabulary(),
                List.of(LetterVocabulary.END),
                SamplingDefaults.none(),
                new EngineSettings(8, 8, 1 << 20),
                listener,
                () -> 0L);
        assertThat(engine.submit(List.of(request))).isEmpty();
        while (!engine.isIdle()) {
            engine.step();
        }
        return listener.entries(request.attempt(), request.choice());
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
    void cutAnywhereGivesTheSameEntries(long seed) throws InterruptedException {
        Generation generation =
                new Generation(Requests.sampled(1f, 0, 0.95f, 0f, seed), 1, 40, List.of("qq", "xyz"), -1);
        SequenceRequest whole = Requests.of("a", "a prompt", generation);
        List<Entry> expected = generate(whole);
        for (int cut = 1; cut < expected.size(); cut++) {
            int[] emitted =
                    expected.subList(0, cut).stream().mapToInt(Entry::tokenId).toArray();
            List<Entry> rest = generate(new SequenceRequest(
                    whole.attempt(), 0, whole.promptIds(), TokenIds.of(emitted), generation, Requests.NEVER));
            List<Entry> wanted = new ArrayList<>(expected.subList(cut, expected.size()));
            wanted.set(0, timed(wanted.getFirst()));
            assertThat(rest).as("seed %d cut at %d", seed, cut).isEqualTo(wanted);
        }
    }

    /** An attempt's first entry says its times, and here the clock stands still. */
    private static Entry timed(Entry entry) {
        return new Entry(
                entry.attempt(),
                entry.choice(),
                entry.index(),
                entry.tokenId(),
                entry.text(),
                entry.logprob(),
                entry.alternatives(),
                entry.finish(),
                new Timings(0, 0, 0, 0));
    }
}

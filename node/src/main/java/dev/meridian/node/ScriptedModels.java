package dev.meridian.node;

import dev.meridian.actors.HostedModel;
import dev.meridian.actors.Loadable;
import dev.meridian.bench.http.Script;
import dev.meridian.engine.Engine;
import dev.meridian.engine.EngineSettings;
import dev.meridian.engine.EngineStats;
import dev.meridian.engine.Fairness;
import dev.meridian.engine.StepListener;
import dev.meridian.engine.bundle.BundleManifest.SamplingDefaults;
import dev.meridian.engine.text.Encoded;
import dev.meridian.protocol.Prompt;
import dev.meridian.protocol.cluster.ModelInfo;
import dev.meridian.protocol.cluster.ReplicaId;
import dev.meridian.protocol.cluster.Residency;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Models without weights that say {@link Script}: for measurements.
 *
 * @param rate tokens a second of each stream
 * @param count how many, called as {@link Script#model} says
 * @param load for how long each of them loads
 * @param prefill how long a prompt takes, during which its replica's other streams pause
 */
record ScriptedModels(int rate, int count, Duration load, Duration prefill) {
    private static final int CONTEXT = 1 << 16;
    private static final int SLOTS = 1024;

    /** One that loads at once. */
    static ScriptedModels one(int rate) {
        return new ScriptedModels(rate, 1, Duration.ZERO, Duration.ZERO);
    }

    List<Loadable> loadables(NodeSettings settings) {
        List<Loadable> all = new ArrayList<>();
        for (int number = 1; number <= count; number++) {
            String name = Script.model(number);
            Residency residency = settings.residency().of(name);
            if (residency.allows(settings.cluster().region())) {
                all.add(loadable(name, residency));
            }
        }
        return all;
    }

    private Loadable loadable(String name, Residency residency) {
        ModelInfo info = new ModelInfo(
                name,
                "0".repeat(ReplicaId.DIGEST_LENGTH),
                CONTEXT,
                Script.VOCABULARY,
                0,
                "none",
                Script.MODEL_BYTES,
                residency);
        return new Loadable(info, Script.MODEL_BYTES, () -> {
            PacedRunner.parkUntil(System.nanoTime() + load.toNanos());
            return new Scripted(name, new PacedRunner(SLOTS, CONTEXT, rate, prefill));
        });
    }

    private static final class Scripted implements HostedModel {
        private final String name;
        private final PacedRunner runner;
        private @Nullable Engine engine;

        Scripted(String name, PacedRunner runner) {
            this.name = name;
            this.runner = runner;
        }

        @Override
        public Encoded encode(Prompt prompt) {
            return BenchServerCommand.encode(prompt);
        }

        @Override
        public synchronized Engine start(StepListener listener) {
            Engine started = Engine.start(
                    name,
                    runner,
                    new StampedVocabulary(),
                    List.of(),
                    SamplingDefaults.none(),
                    new EngineSettings(SLOTS, CONTEXT, Script.MODEL_BYTES, Fairness.unpaced()),
                    listener,
                    System::nanoTime);
            engine = started;
            return started;
        }

        @Override
        public synchronized EngineStats stats() {
            return engine == null ? EngineStats.NONE : engine.stats();
        }

        @Override
        public long reservedBytes() {
            return Script.MODEL_BYTES;
        }

        @Override
        public synchronized void close() {
            if (engine != null) {
                engine.close();
            }
            runner.close();
        }
    }
}

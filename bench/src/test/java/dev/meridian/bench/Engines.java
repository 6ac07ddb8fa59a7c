package dev.meridian.bench;

import dev.meridian.engine.Engine;
import dev.meridian.engine.EngineSettings;
import dev.meridian.engine.LetterVocabulary;
import dev.meridian.engine.ScriptedRunner;
import dev.meridian.engine.StepListener;
import dev.meridian.engine.bundle.BundleManifest.SamplingDefaults;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** Starts engines over scripted runners and closes them. */
final class Engines implements AutoCloseable {
    private static final long KV_BYTES = 1L << 40;

    private final List<Engine> started = new ArrayList<>();

    Function<StepListener, Engine> over(ScriptedRunner runner, int chunk, Integer... endTokens) {
        return listener -> {
            Engine engine = Engine.start(
                    "test",
                    runner,
                    new LetterVocabulary(),
                    List.of(endTokens),
                    SamplingDefaults.none(),
                    new EngineSettings(64, chunk, KV_BYTES, EnginePlan.FAIRNESS),
                    listener,
                    System::nanoTime);
            started.add(engine);
            return engine;
        };
    }

    @Override
    public void close() {
        started.forEach(Engine::close);
    }
}

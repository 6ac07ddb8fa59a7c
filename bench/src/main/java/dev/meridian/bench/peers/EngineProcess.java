package dev.meridian.bench.peers;

import dev.meridian.bench.BareLoop;
import dev.meridian.engine.Fairness;
import dev.meridian.engine.LoadedModel;
import dev.meridian.engine.ModelSettings;
import dev.meridian.engine.ModelSettings.Kernels;
import dev.meridian.engine.bundle.Bundle;
import dev.meridian.engine.bundle.VerifiedFiles;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;

/**
 * Meridian's bare engine as a {@link ChildContender}'s process: {@code <bundle> <record of verified files> <threads>
 * <auto|off>}. Files are verified as a node verifies them: read once, and again only when they change.
 */
public final class EngineProcess {
    private static final long BUDGET_BYTES = Long.MAX_VALUE / 4;
    static final int SEQUENCES = 16;
    static final int CHUNK = 512;

    private final Bundle bundle;
    private final ModelSettings settings;
    private final Path record;

    private EngineProcess(Bundle bundle, ModelSettings settings, Path record) {
        this.bundle = bundle;
        this.settings = settings;
        this.record = record;
    }

    public static void main(String[] args) throws IOException {
        EngineProcess engine = new EngineProcess(
                Bundle.open(Path.of(args[0])),
                settings(Integer.parseInt(args[2]), Kernels.named("kernels", args[3])),
                Path.of(args[1]));
        engine.answer(System.out);
    }

    private static ModelSettings settings(int threads, Kernels kernels) {
        return new ModelSettings(
                BUDGET_BYTES, SEQUENCES, Task.LONGEST, CHUNK, SEQUENCES, threads, kernels, Fairness.unpaced());
    }

    private LoadedModel open() {
        return LoadedModel.open(bundle, settings, VerifiedFiles.at(record, Clock.systemUTC()));
    }

    private void answer(PrintStream out) throws IOException {
        try (LoadedModel model = open();
                BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            BareLoop loop = new BareLoop(model.runner(), CHUNK);
            out.println("= 0");
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                out.println(answer(loop, line.split(" ")));
            }
        }
    }

    private String answer(BareLoop loop, String[] words) {
        return switch (words[0]) {
            case "prefill" -> "= " + loop.prefillMillis(Integer.parseInt(words[1]));
            case "decode" ->
                "= "
                        + loop.decodeMillis(
                                Integer.parseInt(words[1]), Integer.parseInt(words[2]), Integer.parseInt(words[3]));
            case "load" -> "= " + loadMillis();
            // A slot's memory goes back to the system when its sequence ends.
            case "positions" -> "= 0";
            default -> "! unknown task " + words[0];
        };
    }

    private double loadMillis() {
        long start = System.nanoTime();
        try (LoadedModel _ = open()) {
            return (System.nanoTime() - start) / 1e6;
        }
    }
}

package dev.meridian.node;

import java.time.Duration;
import picocli.CommandLine.Option;

/** Models without weights in place of bundles. */
final class ScriptedOptions {
    @Option(
            names = "--scripted",
            paramLabel = "RATE",
            description = "Serve a scripted model of so many tokens a second instead of bundles: to try, to measure.")
    private int rate;

    @Option(
            names = "--scripted-models",
            paramLabel = "COUNT",
            defaultValue = "1",
            description = "With --scripted: so many of them, scripted, scripted-2 and so on.")
    private int models;

    @Option(
            names = "--scripted-load-ms",
            paramLabel = "MS",
            defaultValue = "0",
            description = "With --scripted: for how long each of them loads.")
    private long loadMillis;

    @Option(
            names = "--scripted-prefill-ms",
            paramLabel = "MS",
            defaultValue = "0",
            description = "With --scripted: how long a prompt takes.")
    private long prefillMillis;

    boolean isAsked() {
        return rate > 0;
    }

    ScriptedModels models() {
        return new ScriptedModels(rate, models, Duration.ofMillis(loadMillis), Duration.ofMillis(prefillMillis));
    }
}

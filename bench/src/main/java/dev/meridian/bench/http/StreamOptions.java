package dev.meridian.bench.http;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** Options of the commands that run rounds of streams. */
final class StreamOptions {
    @Option(
            names = "--streams",
            paramLabel = "N",
            defaultValue = "200",
            description = "Streams at a time. Default: ${DEFAULT-VALUE}.")
    private int streams;

    @Option(
            names = "--rate",
            paramLabel = "N",
            defaultValue = "50",
            description = "Tokens a second of each stream. Default: ${DEFAULT-VALUE}.")
    private int rate;

    @Option(
            names = "--seconds",
            paramLabel = "N",
            defaultValue = "6",
            description = "How long each stream lasts. Default: ${DEFAULT-VALUE}.")
    private int seconds;

    @Option(
            names = "--spread",
            paramLabel = "SECONDS",
            defaultValue = "2",
            description = "Over which the streams of a round start. Default: ${DEFAULT-VALUE}.")
    private int spread;

    @Option(
            names = "--rounds",
            paramLabel = "N",
            defaultValue = "5",
            description = "Rounds that count. Default: ${DEFAULT-VALUE}.")
    private int rounds;

    @Option(
            names = "--warm-ups",
            paramLabel = "N",
            defaultValue = "3",
            description = "Rounds before them. Default: ${DEFAULT-VALUE}.")
    private int warmUps;

    HttpPlan plan(CommandSpec spec) {
        try {
            return new HttpPlan(streams, rate, seconds, spread, rounds, warmUps);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
    }
}

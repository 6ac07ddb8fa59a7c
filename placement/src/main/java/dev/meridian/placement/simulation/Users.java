package dev.meridian.placement.simulation;

import dev.meridian.placement.simulation.DemandSource.Constant;
import dev.meridian.placement.simulation.DemandSource.Replay;
import dev.meridian.placement.simulation.DemandSource.Wave;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** Draws the requests of one source, one after the other; with the same seed the same, whatever the cluster does with them. */
final class Users {
    private final DemandSource source;
    private final SplittableRandom random;
    private final int region;
    private final int[] models;
    private final double[] cumulative;
    private int drawn;

    static Users of(World world, DemandSource source, SplittableRandom random) {
        int[] models = source.models().isEmpty()
                ? IntStream.range(0, world.scenario.models().size()).toArray()
                : source.models().stream().mapToInt(world::modelNumber).toArray();
        double[] weights = new double[models.length];
        for (int i = 0; i < models.length; i++) {
            weights[i] = world.model(models[i]).weight();
        }
        return new Users(source, random, world.regionNumber(source.region()), models, weights);
    }

    /** @param models numbers of those that are asked for, with their weights */
    private Users(DemandSource source, SplittableRandom random, int region, int[] models, double[] weights) {
        this.source = source;
        this.random = random;
        this.region = region;
        this.models = models.clone();
        cumulative = weights.clone();
        for (int i = 1; i < cumulative.length; i++) {
            cumulative[i] += cumulative[i - 1];
        }
    }

    /** When the request after one at that time comes. */
    long nextAfter(long micros) {
        return switch (source.arrivals()) {
            case Constant(double perSecond) -> micros + gap(perSecond);
            case Wave wave -> nextAfter(wave, micros);
            case Replay(Trace trace, double speed) -> {
                long cycles = drawn / trace.entries().size();
                long at = cycles * trace.cycleMicros() + entry(trace).atMicros();
                yield Math.round(at / speed);
            }
        };
    }

    /** Thinning, Lewis and Shedler, 1979. */
    private long nextAfter(Wave wave, long micros) {
        double most = wave.perSecond() * (1 + wave.amplitude());
        long at = micros;
        do {
            at += gap(most);
        } while (random.nextDouble() * most > wave.rateAt(at));
        return at;
    }

    private long gap(double perSecond) {
        return Math.max(1, Math.round(-StrictMath.log(1 - random.nextDouble()) / perSecond * Moments.SECOND));
    }

    private Trace.Entry entry(Trace trace) {
        return trace.entries().get(drawn % trace.entries().size());
    }

    Request draw(long now) {
        int model = model();
        int prompt = source.prompt().draw(random);
        int output = source.output().draw(random);
        if (source.arrivals() instanceof Replay replay) {
            prompt = entry(replay.trace()).promptTokens();
            output = entry(replay.trace()).outputTokens();
        }
        drawn++;
        return new Request(region, model, now, prompt, output);
    }

    private int model() {
        double at = random.nextDouble() * cumulative[cumulative.length - 1];
        int found = Arrays.binarySearch(cumulative, at);
        int index = found < 0 ? -found - 1 : found + 1;
        return models[Math.min(index, models.length - 1)];
    }
}

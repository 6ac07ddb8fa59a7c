package dev.meridian.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.meridian.engine.Engine;
import dev.meridian.engine.Fairness;
import dev.meridian.engine.LoadedModel;
import dev.meridian.engine.ModelSettings;
import dev.meridian.engine.SequenceRequest;
import dev.meridian.engine.bundle.Bundle;
import dev.meridian.engine.text.Encoded;
import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.Generation;
import dev.meridian.protocol.Prompt;
import dev.meridian.protocol.Sampling;
import dev.meridian.protocol.TokenIds;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code bench cycles}: whether loading and unloading a bundle leaves memory behind. */
@Command(
        name = "cycles",
        description = "Loads a bundle, generates a few tokens and unloads it, again and again: what stays in memory?")
final class CyclesCommand implements Callable<Integer> {
    private static final long BUDGET_BYTES = Long.MAX_VALUE / 4;
    private static final long NEVER = Long.MAX_VALUE / 2;
    private static final int SLOTS = 16;
    private static final int CHUNK = 128;
    private static final int CONTEXT = 1024;
    private static final int TOKENS = 8;
    private static final int SKIPPED = 10;
    private static final String PROMPT = "How much of this stays behind?";

    @Mixin
    private BundleOptions options = new BundleOptions();

    @Option(
            names = "--cycles",
            paramLabel = "N",
            defaultValue = "200",
            description = "Loads and unloads, of which the first 10 do not count. Default: ${DEFAULT-VALUE}.")
    private int cycles;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws JsonProcessingException {
        if (options.threads() < 1) {
            throw new ParameterException(
                    spec.commandLine(), "--threads " + options.threads() + ": expected at least 1");
        }
        if (cycles < SKIPPED + 2) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--cycles " + cycles + ": the first " + SKIPPED + " do not count; expected at least "
                            + (SKIPPED + 2));
        }
        if (Memory.residentBytes() < 0) {
            throw new MeasurementFailed("this system does not say how much memory a process holds");
        }
        Bundle bundle = options.open();
        List<Long> resident = new ArrayList<>();
        for (int i = 0; i < cycles; i++) {
            cycle(bundle);
            resident.add(Memory.residentBytes());
        }
        CyclesReport report =
                CyclesReport.of(bundle.id(), bundle.manifest().weights(), options.threads(), SKIPPED, resident);
        options.print(spec.commandLine().getOut(), report, report::print);
        return 0;
    }

    private void cycle(Bundle bundle) {
        ModelSettings settings = new ModelSettings(
                BUDGET_BYTES,
                SLOTS,
                CONTEXT,
                CHUNK,
                SLOTS,
                options.threads(),
                options.kernels(spec),
                Fairness.unreserved());
        try (LoadedModel model = LoadedModel.open(bundle, settings)) {
            TokenIds ids = switch (model.encode(new Prompt.Text(PROMPT))) {
                case Encoded.Ids(TokenIds encoded) -> encoded;
                case Encoded.Refused(var reason) -> throw new MeasurementFailed("the prompt was refused: " + reason);
            };
            StepClock clock = new StepClock();
            Engine engine = model.start(clock, System::nanoTime, List.of());
            clock.expect(1, TOKENS);
            Generation generation = new Generation(Sampling.greedy(), 1, 0, List.of(), -1);
            engine.submit(List.of(
                            new SequenceRequest(new Attempt("cycle", 1), 0, ids, TokenIds.empty(), generation, NEVER)))
                    .ifPresent(refusal -> {
                        throw new MeasurementFailed("the engine refused: " + refusal);
                    });
            clock.await(new Patience(engine, Patience.STANDARD));
        }
    }
}

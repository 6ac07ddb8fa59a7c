package dev.meridian.node;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.meridian.placement.simulation.Outcome;
import dev.meridian.placement.simulation.Simulation;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** What placement policies would make of a scenario, side by side. */
@Command(
        name = "simulate",
        description = {
            "Compare placement policies on a simulated cluster: the policies' own code, on virtual time.",
            "docs/placement.md describes scenarios, docs/scenarios has examples."
        })
final class SimulateCommand implements Callable<Integer> {
    @Parameters(paramLabel = "<scenario.conf>", description = "Regions, nodes, models and demand, in HOCON.")
    private Path scenario;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description = "The same seed gives the same bytes. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Option(names = "--json", description = "Print one JSON object; docs/placement.md says what is in it.")
    private boolean json;

    @Option(
            names = "--svg",
            paramLabel = "FILE",
            description = "Draw replicas and demand over time, of each region and policy.")
    private @Nullable Path svg;

    @Option(
            names = "--policy",
            paramLabel = "NAME",
            arity = "1..*",
            description = "Policies to compare. Default: the scenario's, else all that there are.")
    private List<String> policies = new ArrayList<>();

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        ScenarioSettings settings = ScenarioSettings.load(scenario);
        List<Outcome> outcomes = new ArrayList<>();
        for (String policy : new LinkedHashSet<>(policies.isEmpty() ? settings.policies() : policies)) {
            outcomes.add(run(settings, policy));
        }
        SimulationReport report =
                SimulationReport.of(String.valueOf(scenario.getFileName()), seed, settings.scenario(), outcomes);
        Path file = svg;
        if (file != null) {
            Files.writeString(file, new SimulationChart(report, outcomes).svg());
        }
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            out.println(json(report));
        } else {
            report.print(out);
        }
        out.flush();
        return 0;
    }

    private Outcome run(ScenarioSettings settings, String policy) {
        try {
            return Simulation.run(settings.scenario(), policy, seed);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
    }

    private static String json(SimulationReport report) throws JsonProcessingException {
        return JsonMapper.builder()
                .enable(SerializationFeature.INDENT_OUTPUT)
                .build()
                .writeValueAsString(report);
    }
}

package dev.meridian.node;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.meridian.placement.simulation.Scenario;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class SimulateCommandTest {
    private static final Path ROOT = Path.of(System.getProperty("meridian.root"));
    private static final Path TRACES = ROOT.resolve("../shared/assets/traces");

    private static final String TINY = """
            duration = 10 m
            regions = [ { name = eu, budget = 100 B, load-bytes-per-second = 10 B, load-overhead = 500 ms } ]
            models = [ { name = m, bytes = 50 B, tokens-per-second = 10, first-token = 200 ms, prefill-per-token = 1 ms } ]
            demand = [ { region = eu, trace-file = tiny.csv } ]
            """;
    private static final String TINY_TRACE = """
            TIMESTAMP,ContextTokens,GeneratedTokens
            2023-11-16 18:17:00.0000000,100,11
            2023-11-16 18:18:00.0000000,100,11
            2023-11-16 18:28:00.0000000,100,11
            """;

    @TempDir
    private Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int simulate(String... arguments) {
        String[] all = new String[arguments.length + 1];
        all[0] = "simulate";
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        return Main.commandLine(all)
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .execute(all);
    }

    private String scenario(String text) throws IOException {
        Files.writeString(folder.resolve("tiny.csv"), TINY_TRACE);
        return Files.writeString(folder.resolve("tiny.conf"), text).toString();
    }

    @Test
    void printsPoliciesSideBySide() throws IOException {
        assertThat(simulate(scenario(TINY))).isZero();

        assertThat(out.toString().lines())
                .containsExactly(
                        "                     follow-demand      spread  least-recently-used",
                        "Requests                         2           2                    2",
                        "Cold hits               1 (50.00%)  1 (50.00%)           1 (50.00%)",
                        "Failed                           0           0                    0",
                        "Loads                            1           1                    1",
                        "Loaded                        50 B        50 B                 50 B",
                        "Unloads                          0           0                    0",
                        "Memory held              0.0 GiB h   0.0 GiB h            0.0 GiB h",
                        "First token eu, p50         300 ms      300 ms               300 ms",
                        "First token eu, p99        5800 ms     5800 ms              5800 ms");
    }

    @Test
    void printsJsonThatStaysAsItIs() throws IOException {
        assertThat(simulate(scenario(TINY), "--json", "--policy", "follow-demand", "--seed", "4"))
                .isZero();

        assertThat(new ObjectMapper().readTree(out.toString())).isEqualTo(new ObjectMapper().readTree("""
                {
                  "scenario": "tiny.conf",
                  "seed": 4,
                  "seconds": 600.0,
                  "policies": [ {
                    "policy": "follow-demand",
                    "requests": 2,
                    "served": 2,
                    "failed": 0,
                    "coldHits": 1,
                    "loads": 1,
                    "unloads": 0,
                    "loadedBytes": 50,
                    "heldGiBHours": 0.0,
                    "regions": [ {
                      "region": "eu",
                      "requests": 2,
                      "served": 2,
                      "failed": 0,
                      "coldHits": 1,
                      "firstTokenP50Millis": 300.0,
                      "firstTokenP99Millis": 5800.0
                    } ]
                  } ]
                }
                """));
    }

    @Test
    void theSameSeedGivesTheSameBytes() throws IOException {
        String scenario =
                ROOT.resolve("docs/scenarios/one-node-two-models.conf").toString();
        Path one = folder.resolve("one.svg");
        Path two = folder.resolve("two.svg");
        assertThat(simulate(scenario, "--json", "--svg", one.toString())).isZero();
        String first = out.toString();
        out.getBuffer().setLength(0);
        assertThat(simulate(scenario, "--json", "--svg", two.toString())).isZero();

        assertThat(out).hasToString(first);
        assertThat(two).hasSameBinaryContentAs(one);
        assertThat(one).content().startsWith("<svg xmlns=").endsWith("</svg>\n").contains("seldom", "spread");
    }

    @ParameterizedTest
    @ValueSource(strings = {"follow-the-sun.conf", "one-node-two-models.conf"})
    void theExamplesCanBeRead(String name) {
        assertThat(ScenarioSettings.load(ROOT.resolve("docs/scenarios").resolve(name))
                        .policies())
                .containsExactly("follow-demand", "spread", "least-recently-used");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    duration = 5 parsecs | 1: Invalid value at 'duration'
                    duration = 300 | 1: Invalid value at 'duration': 300 has no unit
                    duratoin = 1 h | 1: Invalid path 'duratoin': there is no such key
                    regions = [ { name = eu } ] | 1: Invalid value at 'regions[0].budget': is missing
                    regions = [ { name = eu, budget = 1 stone } ] | 1: Invalid value at 'budget'
                    regions = [ { name = EU, budget = 1 GiB } ] | 1: Invalid value at 'regions[0]': region 'EU'
                    regions = [ { name = eu, budget = 1 GiB, nodes = 0 } ] | 1: Invalid value at 'regions[0].nodes': 0: expected 1 to
                    regions = [ { name = eu, budget = 1 GiB, node = 2 } ] | 1: Invalid path 'regions[0].node': there is no such key
                    demand = [ { region = mars, requests-per-second = 1 } ] | 1: Invalid value at 'demand[0].region': there is no region 'mars'
                    demand = [ { region = eu } ] | 1: Invalid value at 'demand[0].requests-per-second': is missing
                    demand = [ { region = eu, trace-file = none.csv } ] | none.csv: no such file
                    demand = [ { region = eu, trace-file = tiny.conf } ] | tiny.conf, line 1: expected TIMESTAMP
                    demand = [ { region = eu, requests-per-second = 1, trace-file = tiny.csv } ] | a trace has its own rate
                    demand = [ { region = eu, requests-per-second = 1, models = [x] } ] | there is no model 'x', but [m]
                    demand = [ { region = eu, requests-per-second = 1, wave { amplitude = 2 } } ] | 1: Invalid value at 'demand[0].wave': amplitude 2.0
                    outages = [ { node = eu-7, at = 1 h } ] | there is no node 'eu-7'
                    rtt { eu { us = 1 ms } } | 1: Invalid path 'eu.us': there is no such key
                    placement { warm-above = 0 } | 1: Invalid value at 'placement': warm-above 0.0
                    placement { defaults { min-replicas = 3, max-replicas = 2 } } | max-replicas 2: expected at least
                    placement { defaults { pre-warm-at = ["7 am"] } } | '7 am' is no time of day
                    placement { models { x { min-replicas = 1 } } } | rules of x: there is no such model
                    placement { models { m { min-replica = 1 } } } | 1: Invalid path 'placement.models.m.min-replica'
                    calm-interval = 10 ms | calm-interval: expected at least policy-interval
                    regions = 7 | regions
                    models = [ { name = m, bytes = 1 B }, { name = m, bytes = 1 B } ] | two models are called 'm'
                    """)
    void aWrongScenarioIsRefusedWithFileLineAndReason(String line, String message) throws IOException {
        String key = line.substring(0, line.indexOf(' '));
        String rest = TINY.lines()
                .filter(other -> !other.startsWith(key + " "))
                .reduce("", (all, other) -> all + other + "\n");

        assertThat(simulate(scenario(line + "\n" + rest))).isEqualTo(1);
        assertThat(err.toString()).startsWith("meridian simulate: scenario: ").contains("tiny.conf: ", message);
        assertThat(err.toString().lines()).hasSize(1);
    }

    @Test
    void aMissingFileAndAnUnknownPolicyAreRefused() throws IOException {
        assertThat(simulate(folder.resolve("none.conf").toString())).isEqualTo(1);
        assertThat(err.toString()).contains("none.conf: no such file");
        assertThat(simulate(scenario(TINY), "--policy", "hope")).isEqualTo(2);
        assertThat(err.toString()).contains("policy 'hope': expected one of");
    }

    @Test
    void modelsAreNumberedAndShareTheirWeight() throws IOException {
        Scenario scenario = ScenarioSettings.load(Path.of(scenario("""
                regions = [ { name = eu, nodes = 2, budget = 1 GiB } ]
                models = [ { name = t, count = 10, zipf = 1, weight = 2, bytes = 1 MiB } ]
                """))).scenario();

        assertThat(scenario.models())
                .extracting(Scenario.Model::name)
                .hasSize(10)
                .startsWith("t-01", "t-02");
        assertThat(scenario.models().get(0).weight() / scenario.models().get(1).weight())
                .isEqualTo(2);
        assertThat(scenario.models().stream()
                        .mapToDouble(Scenario.Model::weight)
                        .sum())
                .isBetween(1.999, 2.001);
        assertThat(scenario.regions().getFirst().nodes())
                .extracting(Scenario.Node::name)
                .containsExactly("eu-1", "eu-2");
    }

    @Test
    void measuredRoundTripsAndTracesCanBeUsed() throws IOException {
        Path latency = TRACES.resolve("latency");
        Path trace = TRACES.resolve("azure-llm-2023/AzureLLMInferenceTrace_conv.csv");
        Assumptions.assumeTrue(Files.exists(latency) && Files.exists(trace));
        for (List<String> file : List.of(
                List.of("wonderproxy.csv", "Frankfurt", "Tokyo"),
                List.of("aws.csv", "eu-central-1", "ap-northeast-1"))) {
            String text = """
                    duration = 10 m
                    rtt-file = "%s"
                    regions = [ { name = eu, budget = 1 GiB, place = %s }, { name = ap, budget = 1 GiB, place = %s } ]
                    models = [ { name = m, bytes = 1 MiB } ]
                    demand = [ { region = eu, trace-file = "%s", speed = 0.5 } ]
                    """.formatted(
                            latency.resolve(file.get(0)).toRealPath(), file.get(1), file.get(2), trace.toRealPath());
            out.getBuffer().setLength(0);

            assertThat(simulate(scenario(text))).isZero();
            assertThat(out.toString()).contains("First token eu, p99");
            Scenario read = ScenarioSettings.load(Path.of(scenario(text))).scenario();
            assertThat(read.rtts().between("eu", "ap").orElseThrow()).isBetween(150_000L, 300_000L);
        }
    }
}

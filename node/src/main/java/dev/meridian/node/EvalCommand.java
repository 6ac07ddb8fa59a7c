package dev.meridian.node;

import dev.meridian.bench.Evaluation;
import dev.meridian.builder.ImportRequest;
import dev.meridian.builder.KvType;
import dev.meridian.builder.quant.Weights;
import dev.meridian.builder.source.ImportException;
import dev.meridian.engine.bundle.Bundle;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * Asks a model questions that have one right answer. Where the bundle's source stands beside it ({@code atlas-src} beside
 * {@code atlas}), every variant is made from the source and compared, and the bundle itself must be one of them.
 */
@Command(
        name = "eval",
        description = {
            "Ask a model questions with known answers and print its accuracy, by variant and by kind.",
            "With the model's source beside the bundle (<bundle>-src), f32, f16, int8 and int4 are compared."
        })
final class EvalCommand implements Callable<Integer> {
    @Mixin
    private ConfigOptions options = new ConfigOptions();

    @Parameters(paramLabel = "<bundle>", description = "Folder with a bundle.json.")
    private Path folder;

    @Option(
            names = "--questions",
            paramLabel = "FILE",
            description = "JSON lines of kind, messages and answer. Default: questions.jsonl of <bundle>-src.")
    private @Nullable Path questionFile;

    @Option(names = "--wrong", paramLabel = "N", defaultValue = "0", description = "Print the first N wrong replies.")
    private int wrong;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException, ImportException, InterruptedException {
        Bundle bundle = Bundle.open(folder);
        requireWhole(bundle);
        NodeSettings settings = NodeSettings.load(options.config, Map.of());
        Path source = source(bundle);
        Path file = questionFile != null ? questionFile : source.resolve("questions.jsonl");
        QuestionRun run = new QuestionRun(
                QuestionRun.read(file), settings.models(), spec.commandLine().getErr());
        Map<String, Evaluation.Result> results = Files.isDirectory(source.resolve("checkpoint"))
                ? allVariants(bundle, source.resolve("checkpoint"), run)
                : Map.of(
                        bundle.manifest().weights(),
                        run.run(bundle, bundle.manifest().weights()));
        print(results);
        return 0;
    }

    /** Figures of a damaged bundle would be nobody's. */
    static void requireWhole(Bundle bundle) {
        List<String> faults = bundle.verify();
        if (!faults.isEmpty()) {
            throw new CommandFailed(bundle.folder() + " is damaged: " + String.join("; ", faults));
        }
    }

    /** {@code atlas} and {@code atlas-int4} are both made from {@code atlas-src}. */
    private static Path source(Bundle bundle) {
        String suffix = "-" + bundle.manifest().weights();
        String id = bundle.id();
        String base = id.endsWith(suffix) ? id.substring(0, id.length() - suffix.length()) : id;
        return bundle.folder().resolveSibling(base + "-src");
    }

    private static Map<String, Evaluation.Result> allVariants(Bundle bundle, Path checkpoint, QuestionRun run)
            throws IOException, ImportException, InterruptedException {
        try (Scratch scratch = Scratch.create("meridian-eval")) {
            List<Bundle> made = new ArrayList<>();
            for (Weights weights : Weights.values()) {
                Path out = scratch.folder().resolve(weights.label());
                made.add(Variants.make(new ImportRequest(checkpoint, out, weights, KvType.F32), run.progress()));
            }
            requireMadeFrom(checkpoint, bundle, made);
            Map<String, Evaluation.Result> results = new LinkedHashMap<>();
            for (Bundle variant : made) {
                String weights = variant.manifest().weights();
                results.put(weights, run.run(variant, weights));
            }
            return results;
        }
    }

    /** The figures are of what import makes now; they are the bundle's too only where it is one of those, to the byte. */
    static void requireMadeFrom(Path source, Bundle bundle, List<Bundle> made) {
        boolean same = made.stream()
                .filter(variant ->
                        variant.manifest().weights().equals(bundle.manifest().weights()))
                .anyMatch(variant ->
                        variant.manifest().files().equals(bundle.manifest().files()));
        if (!same) {
            throw new CommandFailed(
                    bundle.folder() + ": the bundle is not what import makes of " + source + "; import it again");
        }
    }

    private void print(Map<String, Evaluation.Result> results) {
        PrintWriter out = spec.commandLine().getOut();
        List<String> header = new ArrayList<>(List.of("Kind", "Asked"));
        header.addAll(results.keySet());
        Table table = new Table(header, 1, 2, 3, 4, 5);
        Evaluation.Result any = results.values().iterator().next();
        for (String kind : any.byKind().keySet()) {
            List<String> row = new ArrayList<>(
                    List.of(kind, Integer.toString(any.score(kind).asked())));
            results.values().forEach(result -> row.add(percent(result.score(kind))));
            table.row(row);
        }
        List<String> all =
                new ArrayList<>(List.of("all", Integer.toString(any.all().asked())));
        results.values().forEach(result -> all.add(percent(result.all())));
        table.row(all);
        table.print(out);
        results.forEach((weights, result) ->
                result.wrong().stream().limit(wrong).forEach(line -> out.println(weights + ": " + line)));
        out.flush();
    }

    private static String percent(Evaluation.Score score) {
        return String.format(Locale.ROOT, "%.1f %%", 100 * score.accuracy());
    }
}

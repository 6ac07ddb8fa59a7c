package dev.meridian.node;

import dev.meridian.engine.bundle.Bundle;
import dev.meridian.engine.bundle.BundleManifest;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Compares a bundle with its manifest, and makes every check of a load that needs no native code. */
@Command(
        name = "verify",
        description =
                "Compare every file of a bundle with its manifest, and check the graph as a load does. Exits with 1 on a"
                        + " fault.")
final class VerifyCommand implements Callable<Integer> {
    @Parameters(paramLabel = "<bundle>", description = "Folder with a bundle.json.")
    private Path folder;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        Bundle bundle = Bundle.open(folder);
        List<String> faults = bundle.verify();
        PrintWriter out = spec.commandLine().getOut();
        out.println(summary(bundle));
        out.println();
        files(bundle, faults).print(out);
        out.println();
        List<String> untold = untold(bundle, faults);
        if (!untold.isEmpty()) {
            untold.forEach(out::println);
            out.println();
        }
        out.println(faults.isEmpty() ? "The bundle is whole." : count(faults.size(), "fault") + " found.");
        out.flush();
        return faults.isEmpty() ? 0 : Main.FAILED;
    }

    private static String summary(Bundle bundle) {
        BundleManifest manifest = bundle.manifest();
        return "%s: %s (%s), %s weights, %s KV cache, context of %d tokens, licence %s"
                .formatted(
                        bundle.id(),
                        manifest.name(),
                        manifest.family(),
                        manifest.weights(),
                        manifest.packing() == null ? manifest.kv() : "f16",
                        manifest.shape().contextTokens(),
                        manifest.license());
    }

    private static Table files(Bundle bundle, List<String> faults) {
        Table table = new Table(List.of("File", "Size", "State"), 1);
        bundle.manifest().files().forEach((name, file) -> {
            List<String> own = of(name, faults);
            String state = switch (own.size()) {
                case 0 -> "ok";
                case 1 -> own.getFirst().substring(name.length() + 2);
                default -> count(own.size(), "fault");
            };
            table.row(List.of(name, Bytes.format(file.bytes()), state));
        });
        return table;
    }

    private static List<String> of(String name, List<String> faults) {
        return faults.stream().filter(fault -> fault.startsWith(name + ": ")).toList();
    }

    /** What no row of the table has room for: several faults of one file, and files that are none of the bundle's. */
    private static List<String> untold(Bundle bundle, List<String> faults) {
        List<String> untold = new ArrayList<>(faults);
        for (String name : bundle.manifest().files().keySet()) {
            List<String> own = of(name, faults);
            if (own.size() == 1) {
                untold.removeAll(own);
            }
        }
        return untold;
    }

    private static String count(int number, String noun) {
        return number + " " + noun + (number == 1 ? "" : "s");
    }
}

package dev.meridian.node;

import dev.meridian.actors.HostedModel;
import dev.meridian.actors.Loadable;
import dev.meridian.engine.Engine;
import dev.meridian.engine.EngineStats;
import dev.meridian.engine.LoadedModel;
import dev.meridian.engine.MemoryPlan;
import dev.meridian.engine.ModelSettings;
import dev.meridian.engine.StepListener;
import dev.meridian.engine.bundle.Bundle;
import dev.meridian.engine.bundle.BundleManifest;
import dev.meridian.engine.bundle.VerifiedFiles;
import dev.meridian.engine.text.Encoded;
import dev.meridian.protocol.Prompt;
import dev.meridian.protocol.cluster.ModelInfo;
import dev.meridian.protocol.cluster.ReplicaId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The bundles of a node's folder, as its models are loaded from them. */
final class Loadables {
    private Loadables() {}

    /**
     * Finds them, and divides the memory budget: each gets what it takes before its first token, and an even share of the
     * rest. Throws CommandFailed where not even one fits.
     */
    static List<Loadable> scan(Path folder, NodeSettings settings) {
        List<Bundle> bundles = Models.scan(folder);
        if (bundles.isEmpty()) {
            throw new CommandFailed(
                    "no bundle in " + folder + "; './meridian import' makes one from a Hugging Face folder");
        }
        ModelSettings models = settings.models();
        VerifiedFiles verified = settings.bundles().open();
        long budget = models.memoryBudgetBytes();
        long fixed = bundles.stream()
                .mapToLong(bundle -> MemoryPlan.fixedBytes(bundle, models))
                .sum();
        long share = Math.max(0, budget - fixed) / bundles.size();
        List<Loadable> loadables = new ArrayList<>();
        for (Bundle bundle : bundles) {
            long own = MemoryPlan.fixedBytes(bundle, models) + share;
            ModelSettings with = models.withMemoryBudget(own);
            loadables.add(new Loadable(
                    info(bundle, own, models), own, () -> new Hosted(LoadedModel.open(bundle, with, verified), own)));
        }
        return loadables;
    }

    private static ModelInfo info(Bundle bundle, long reservedBytes, ModelSettings models) {
        BundleManifest manifest = bundle.manifest();
        Path file = bundle.file(BundleManifest.FILE_NAME);
        try {
            return new ModelInfo(
                    bundle.id(),
                    Bundle.sha256(file).substring(0, ReplicaId.DIGEST_LENGTH),
                    Math.min(models.contextTokens(), manifest.shape().contextTokens()),
                    manifest.shape().vocabSize(),
                    Files.getLastModifiedTime(file).toInstant().getEpochSecond(),
                    manifest.weights(),
                    reservedBytes);
        } catch (IOException e) {
            throw new CommandFailed(bundle.id() + ": " + e.getMessage(), e);
        }
    }

    private record Hosted(LoadedModel model, long reservedBytes) implements HostedModel {
        @Override
        public Encoded encode(Prompt prompt) {
            return model.encode(prompt);
        }

        @Override
        public Engine start(StepListener listener) {
            return model.start(listener, System::nanoTime);
        }

        @Override
        public EngineStats stats() {
            return model.stats();
        }

        @Override
        public void close() {
            model.close();
        }
    }
}

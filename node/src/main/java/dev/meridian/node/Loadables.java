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
import dev.meridian.protocol.cluster.Residency;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The bundles of a node's folder, as its models are loaded from them. */
final class Loadables {
    private static final Logger LOG = LoggerFactory.getLogger(Loadables.class);

    private Loadables() {}

    /**
     * Finds them, and divides the memory budget: each gets what it takes before its first token, and an even share of what
     * those that are loaded at a time leave. Throws CommandFailed where there is none.
     *
     * @param registry gets an engine's meters while it is loaded
     */
    static List<Loadable> scan(Path folder, NodeSettings settings, MeterRegistry registry) {
        return of(bundles(folder), settings, registry);
    }

    static List<Bundle> bundles(Path folder) {
        List<Bundle> bundles = Models.scan(folder);
        if (bundles.isEmpty()) {
            throw new CommandFailed(
                    "no bundle in " + folder + "; './meridian import' makes one from a Hugging Face folder");
        }
        return bundles;
    }

    /** As {@link #scan}, of these bundles. */
    static List<Loadable> of(List<Bundle> bundles, NodeSettings settings, MeterRegistry registry) {
        return ofAllowed(allowed(bundles, settings), settings, registry);
    }

    /** Those that may be in this node's region. */
    static List<Bundle> allowed(List<Bundle> bundles, NodeSettings settings) {
        String region = settings.cluster().region();
        return bundles.stream()
                .filter(bundle -> {
                    Residency residency = settings.residency().of(bundle.id());
                    if (!residency.allows(region)) {
                        LOG.info("{} may be held in {} alone, and this node is in {}", bundle.id(), residency, region);
                    }
                    return residency.allows(region);
                })
                .toList();
    }

    private static List<Loadable> ofAllowed(List<Bundle> bundles, NodeSettings settings, MeterRegistry registry) {
        ModelSettings models = settings.models();
        VerifiedFiles verified = settings.bundles().open();
        long budget = models.memoryBudgetBytes();
        int together =
                settings.modelsAtATime() == 0 ? bundles.size() : Math.min(settings.modelsAtATime(), bundles.size());
        long fixed = bundles.stream()
                .map(bundle -> MemoryPlan.fixedBytes(bundle, models))
                .sorted(Comparator.reverseOrder())
                .limit(together)
                .mapToLong(Long::longValue)
                .sum();
        long share = Math.max(0, budget - fixed) / Math.max(1, together);
        List<Loadable> loadables = new ArrayList<>();
        for (Bundle bundle : bundles) {
            long own = MemoryPlan.fixedBytes(bundle, models) + share;
            ModelSettings with = models.withMemoryBudget(own);
            loadables.add(new Loadable(
                    info(bundle, own, models, settings.residency().of(bundle.id())),
                    own,
                    () -> Hosted.of(LoadedModel.open(bundle, with, verified), own, registry)));
        }
        return loadables;
    }

    private static ModelInfo info(Bundle bundle, long reservedBytes, ModelSettings models, Residency residency) {
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
                    reservedBytes,
                    residency);
        } catch (IOException e) {
            throw new CommandFailed(bundle.id() + ": " + e.getMessage(), e);
        }
    }

    private record Hosted(LoadedModel model, long reservedBytes, EngineMetrics metrics) implements HostedModel {
        static Hosted of(LoadedModel model, long reservedBytes, MeterRegistry registry) {
            return new Hosted(model, reservedBytes, EngineMetrics.register(registry, model));
        }

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
            metrics.close();
            model.close();
        }
    }
}

package dev.meridian.node;

import dev.meridian.bench.http.Script;
import dev.meridian.edge.HttpEdge;
import dev.meridian.edge.Meters;
import dev.meridian.edge.ServedModel;
import dev.meridian.engine.Engine;
import dev.meridian.engine.EngineSettings;
import dev.meridian.engine.ModelRunner;
import dev.meridian.engine.SequenceRequest;
import dev.meridian.engine.StepListener;
import dev.meridian.engine.bundle.BundleManifest.SamplingDefaults;
import dev.meridian.engine.text.Encoded;
import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.Entry;
import dev.meridian.protocol.Generation;
import dev.meridian.protocol.Prompt;
import dev.meridian.protocol.Refusal;
import dev.meridian.protocol.Sampling;
import dev.meridian.protocol.TokenIds;
import dev.meridian.protocol.cluster.Residency;
import dev.meridian.protocol.message.ReplicaCommand;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** What {@code bench http} measures: the real edge, host and engine over a scripted model. Runs until it is told to stop. */
@Command(name = "bench-server", hidden = true, description = "The server that 'bench http' starts and measures.")
final class BenchServerCommand implements Callable<Integer> {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final int PROMPT_TOKENS = 2;
    private static final int PREFILL_CHUNK = 128;
    private static final long KV_BYTES = 1L << 40;
    /** Tokens of a sequence of the bare engine: days of them. */
    private static final int BARE_TOKENS = 1 << 20;

    @Option(names = "--streams", required = true, paramLabel = "N", description = "Slots, and places in the queue.")
    private int streams;

    @Option(names = "--rate", required = true, paramLabel = "N", description = "Decode steps a second.")
    private int rate;

    @Option(names = "--tokens", required = true, paramLabel = "N", description = "Tokens of a stream.")
    private int tokens;

    @Option(names = "--bare", description = "Run the streams in the engine alone.")
    private boolean bare;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws InterruptedException {
        NodeSettings settings = NodeSettings.load(
                null,
                Map.of(
                        "meridian.edge.client-port", 0,
                        "meridian.edge.admin-port", 0,
                        "meridian.host.prepare-capacity", Math.max(256, streams)));
        PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        ActorSystem<Void> system = ActorSystem.create(Behaviors.empty(), "meridian", settings.root());
        int context = (bare ? BARE_TOKENS : tokens) + PROMPT_TOKENS;
        ModelRunner runner = new PacedRunner(streams, context, rate, Duration.ZERO);
        ActorRef<ReplicaCommand> replica = Node.host(
                system,
                settings.host(),
                Script.MODEL,
                BenchServerCommand::encode,
                listener -> counted(start(runner, listener), Script.MODEL, registry),
                PATIENCE);
        if (bare) {
            // Beside the host's engine, which sleeps, because nobody asks it for anything.
            runBare(counted(
                    start(new PacedRunner(streams, context, rate, Duration.ZERO), new Silent()), "bare", registry));
        }
        ServedModel model = new ServedModel(Script.MODEL, context, Script.VOCABULARY, 0, Residency.ANYWHERE);
        HttpEdge edge = HttpEdge.start(
                        system,
                        settings.edge(),
                        new Node.Directory("local", "bench", List.of(model), Map.of(Script.MODEL, replica)),
                        Meters.of(registry),
                        null)
                .toCompletableFuture()
                .join();
        PrintWriter out = spec.commandLine().getOut();
        out.println("  API     "
                + UpCommand.url(
                        edge.clientAddress().orElseThrow(), settings.edge().access()) + "/v1");
        out.println("  Admin   "
                + UpCommand.url(
                        edge.adminAddress().orElseThrow(), settings.edge().access()));
        out.flush();
        new CountDownLatch(1).await();
        return 0;
    }

    private Engine start(ModelRunner runner, StepListener listener) {
        return Engine.start(
                Script.MODEL,
                runner,
                new StampedVocabulary(),
                List.of(),
                SamplingDefaults.none(),
                new EngineSettings(streams, PREFILL_CHUNK, KV_BYTES),
                listener,
                System::nanoTime);
    }

    static Encoded encode(Prompt prompt) {
        return switch (prompt) {
            case Prompt.Tokens(TokenIds ids) -> new Encoded.Ids(ids);
            case Prompt.Chat _, Prompt.Text _ ->
                new Encoded.Refused(new Refusal.InvalidRequest("prompt", "the scripted model takes token ids"));
        };
    }

    private static Engine counted(Engine engine, String label, PrometheusMeterRegistry registry) {
        FunctionCounter.builder(
                        "meridian.engine.decode.tokens", engine, e -> e.stats().decodeTokens())
                .tag("model", label)
                .register(registry);
        return engine;
    }

    private void runBare(Engine engine) {
        for (int stream = 0; stream < streams; stream++) {
            Generation generation = new Generation(Sampling.greedy(), 1, BARE_TOKENS, List.of(), -1);
            SequenceRequest request = new SequenceRequest(
                    new Attempt("bare-" + stream, 1),
                    0,
                    TokenIds.of(new int[] {1, stream}),
                    TokenIds.empty(),
                    generation,
                    Long.MAX_VALUE / 2);
            engine.submit(List.of(request)).ifPresent(refusal -> {
                throw new CommandFailed("the bare engine refused: " + refusal);
            });
        }
    }

    /** Takes tokens as the host does, and does nothing with them. */
    private record Silent() implements StepListener {
        @Override
        public void onStep(long step, List<Entry> entries) {}

        @Override
        public void onRefused(Attempt attempt, Refusal reason) {}

        @Override
        public void onFailed(Throwable cause) {}
    }
}

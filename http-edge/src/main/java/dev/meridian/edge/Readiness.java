package dev.meridian.edge;

import dev.meridian.edge.http.RequestIds;
import dev.meridian.edge.openai.ApiError;
import dev.meridian.edge.openai.ErrorTable;
import dev.meridian.edge.openai.Json;
import dev.meridian.edge.stream.EdgeMux;
import dev.meridian.edge.stream.Journal;
import dev.meridian.edge.stream.JournalBudget;
import dev.meridian.edge.stream.JournalSource;
import dev.meridian.edge.stream.StreamEnd;
import dev.meridian.edge.stream.StreamMetrics;
import dev.meridian.edge.stream.StreamRequest;
import dev.meridian.protocol.Generation;
import dev.meridian.protocol.Prompt;
import dev.meridian.protocol.Sampling;
import dev.meridian.protocol.TokenIds;
import dev.meridian.protocol.cluster.Residency;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;
import org.jspecify.annotations.Nullable;

/**
 * Ready means that every {@link ModelDirectory.Duty} gave one real token: each replica that is placed here, or, where none
 * is, every model by the way that clients' requests take. One that
 * is too busy for the check's own token is ready, too, as long as its clients got tokens since the check before. One
 * check at a time; its result is given again for a while. Thread-safe.
 */
final class Readiness {
    private static final Set<String> BUSY = Set.of("queue_full", "deadline_exceeded", "too_many_streams");
    private static final long NOT_READY_MILLIS = 250;
    private static final Generation ONE_TOKEN = new Generation(Sampling.greedy(), 1, 1, List.of(), -1);

    private final ActorSystem<?> system;
    private final EdgeSettings settings;
    private final ModelDirectory directory;
    private final ActorRef<EdgeMux.Command> mux;
    private final StreamMetrics metrics;
    private final RequestIds ids;
    private final InstantSource clock;
    private final Map<String, Double> tokensBefore = new ConcurrentHashMap<>();
    private @Nullable CompletableFuture<Report> latest;
    private long latestEndedMillis;

    Readiness(
            ActorSystem<?> system,
            EdgeSettings settings,
            ModelDirectory directory,
            ActorRef<EdgeMux.Command> mux,
            StreamMetrics metrics,
            RequestIds ids,
            InstantSource clock) {
        this.system = system;
        this.settings = settings;
        this.directory = directory;
        this.mux = mux;
        this.metrics = metrics;
        this.ids = ids;
        this.clock = clock;
    }

    /** @param problem null when the model answered, else a code of the error table */
    record ModelState(
            String model,
            @Nullable String replica,
            @Nullable String problem) {}

    /** @param mayHoldNone whether models may only be loaded once they are asked for */
    record Report(List<ModelState> models, boolean mayHoldNone) {
        /** Else a node without models has nothing to be ready with. */
        boolean ready() {
            return (mayHoldNone || !models.isEmpty()) && models.stream().allMatch(state -> state.problem() == null);
        }

        byte[] toJson() {
            return Json.write(json -> {
                json.writeStartObject();
                json.writeStringField("status", ready() ? "ready" : "not ready");
                json.writeArrayFieldStart("models");
                for (ModelState state : models) {
                    json.writeStartObject();
                    json.writeStringField("id", state.model());
                    if (state.replica() != null) {
                        json.writeStringField("replica", state.replica());
                    }
                    json.writeBooleanField("ready", state.problem() == null);
                    if (state.problem() != null) {
                        json.writeStringField("problem", state.problem());
                    }
                    json.writeEndObject();
                }
                json.writeEndArray();
                json.writeEndObject();
            });
        }
    }

    /** The running or a recent check, else a new one. */
    synchronized CompletionStage<Report> check() {
        long now = clock.millis();
        if (latest == null || (latest.isDone() && now - latestEndedMillis >= goodForMillis(latest))) {
            latest = start().whenComplete((_, _) -> ended());
        }
        return latest;
    }

    /** Of a node that is not ready one wants to know soon that it is. */
    private long goodForMillis(CompletableFuture<Report> check) {
        long cache = settings.readyCache().toMillis();
        boolean ready = !check.isCompletedExceptionally() && check.join().ready();
        return ready ? cache : Math.min(cache, NOT_READY_MILLIS);
    }

    private synchronized void ended() {
        latestEndedMillis = clock.millis();
    }

    private CompletableFuture<Report> start() {
        CompletableFuture<List<ModelState>> states = CompletableFuture.completedFuture(new ArrayList<>());
        for (ModelDirectory.Duty duty : directory.duties()) {
            states = states.thenCombine(probe(duty), (list, state) -> {
                list.add(state);
                return list;
            });
        }
        boolean mayHoldNone = directory.loadsOnDemand();
        return states.thenApply(all -> new Report(all, mayHoldNone));
    }

    private CompletionStage<ModelState> probe(ModelDirectory.Duty duty) {
        ServedModel model = duty.model();
        if (duty.replica() != null && duty.host() == null) {
            return CompletableFuture.completedFuture(new ModelState(model.id(), duty.replica(), "loading"));
        }
        Duration limit = settings.readyTimeout();
        StreamRequest request = new StreamRequest(
                ids.next("ready-"),
                model.id(),
                new Prompt.Tokens(TokenIds.of(0)),
                ONE_TOKEN,
                model.contextTokens(),
                System.nanoTime(),
                limit,
                clock.millis() + limit.toMillis(),
                Residency.ANYWHERE,
                0,
                true,
                duty.host());
        // Not among the clients' journals: a probe must pass while those are full.
        Journal journal = Journal.streamed(new JournalBudget(Long.MAX_VALUE));
        CompletionStage<EdgeMux.Opening> opening = AskPattern.ask(
                mux, replyTo -> new EdgeMux.Open(request, journal, replyTo), limit.multipliedBy(2), system.scheduler());
        return opening.thenCompose(answer -> switch (answer) {
                    case EdgeMux.Opened _ -> firstToken(request, journal);
                    case EdgeMux.Loading _ -> throw new IllegalStateException("a health check waits for no load");
                    case EdgeMux.Rejected rejected ->
                        CompletableFuture.completedFuture(
                                ErrorTable.of(rejected.reason()).code());
                })
                .exceptionally(_ -> "no_answer")
                .thenApply(problem -> new ModelState(
                        model.id(), duty.replica(), isBusy(model, problem) || problem.isEmpty() ? null : problem));
    }

    /** Whether the check only had to wait behind clients, who are served meanwhile. */
    private boolean isBusy(ServedModel model, String problem) {
        double now = metrics.of(model.id()).tokens();
        Double before = tokensBefore.put(model.id(), now);
        return BUSY.contains(problem) && before != null && now > before;
    }

    /** Empty, or why there was no token. */
    private CompletionStage<String> firstToken(StreamRequest request, Journal journal) {
        return Source.fromGraph(new JournalSource<>(
                        journal, read -> read, null, () -> mux.tell(new EdgeMux.ClientGone(request.id()))))
                .runWith(Sink.last(), system)
                .thenApply(read -> switch (read.end()) {
                    case StreamEnd.Finished _ -> "";
                    case StreamEnd.Failed failed -> {
                        ApiError error = ErrorTable.of(failed.reason());
                        yield error.code();
                    }
                    case StreamEnd.Abandoned _ -> "abandoned";
                    case null -> "no_answer";
                });
    }
}

package dev.meridian.edge;

import dev.meridian.edge.access.Caller;
import dev.meridian.edge.access.Limiter;
import dev.meridian.edge.http.Presence;
import dev.meridian.edge.http.RequestIds;
import dev.meridian.edge.openai.ApiError;
import dev.meridian.edge.openai.ApiException;
import dev.meridian.edge.openai.ChatRequestReader;
import dev.meridian.edge.openai.CompletionRequestReader;
import dev.meridian.edge.openai.Dialect;
import dev.meridian.edge.openai.ErrorTable;
import dev.meridian.edge.openai.ParsedRequest;
import dev.meridian.edge.openai.ReplyHead;
import dev.meridian.edge.openai.SseWriter;
import dev.meridian.edge.openai.WholeReply;
import dev.meridian.edge.stream.ClientCutOff;
import dev.meridian.edge.stream.EdgeMux;
import dev.meridian.edge.stream.Journal;
import dev.meridian.edge.stream.JournalBudget;
import dev.meridian.edge.stream.JournalRead;
import dev.meridian.edge.stream.JournalReader;
import dev.meridian.edge.stream.JournalSource;
import dev.meridian.edge.stream.Replay;
import dev.meridian.edge.stream.StreamEnd;
import dev.meridian.edge.stream.StreamFailure;
import dev.meridian.edge.stream.StreamMetrics;
import dev.meridian.edge.stream.StreamRequest;
import dev.meridian.protocol.message.ResumeMessage;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.apache.pekko.stream.Materializer;
import org.apache.pekko.stream.SystemMaterializer;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;
import org.jspecify.annotations.Nullable;

/** Serves both kinds of completion: body to request, request to a stream, the stream to events or to one reply. */
final class Completions {
    /** Where the reply, or its beginning, was made: {@code region/node/replica}. */
    static final String SERVED_BY = "Meridian-Served-By";

    /** On replies that had to wait until their model was loaded. */
    private static final RawHeader COLD_START = RawHeader.create("Meridian-Cold-Start", "true");

    private static final Duration FOLLOW_WITHIN = Duration.ofSeconds(5);

    private static final ByteString COMMENT = ByteString.fromString(": waiting\n\n");
    /** The mux answers every Open by its deadline; this covers the way there and back. */
    private static final Duration ASK_MARGIN = Duration.ofSeconds(5);

    private final ActorSystem<?> system;
    private final Materializer materializer;
    private final EdgeSettings settings;
    private final ModelDirectory directory;
    private final Limiter limiter;
    private final ActorRef<EdgeMux.Command> mux;
    private final JournalBudget journals;
    private final StreamMetrics metrics;
    private final Lifecycle lifecycle;
    private final ResumableStreams resumables;
    private final RequestIds ids;
    private final InstantSource clock;
    private final ChatRequestReader chatReader;
    private final CompletionRequestReader textReader;

    Completions(
            ActorSystem<?> system,
            EdgeSettings settings,
            ModelDirectory directory,
            Limiter limiter,
            ActorRef<EdgeMux.Command> mux,
            JournalBudget journals,
            StreamMetrics metrics,
            Lifecycle lifecycle,
            ResumableStreams resumables,
            RandomGenerator random,
            InstantSource clock) {
        this.system = system;
        this.materializer = SystemMaterializer.get(system).materializer();
        this.settings = settings;
        this.directory = directory;
        this.limiter = limiter;
        this.mux = mux;
        this.journals = journals;
        this.metrics = metrics;
        this.lifecycle = lifecycle;
        this.resumables = resumables;
        this.ids = new RequestIds(random);
        this.clock = clock;
        chatReader = new ChatRequestReader(settings.maxMessages(), random::nextLong);
        textReader = new CompletionRequestReader(random::nextLong);
    }

    /** What a running request carries along. */
    record Running(
            Dialect dialect,
            ParsedRequest parsed,
            StreamRequest request,
            ReplyHead head,
            Journal journal,
            Limiter.Lease lease,
            Caller caller,
            @Nullable Duration resumeWindow) {
        /** Counts what the reply took against its key: the prompt, and every token that came, read or not. Once. */
        void settle(int promptTokens) {
            lease.settle(promptTokens + journal.entries());
        }
    }

    CompletionStage<HttpResponse> serve(Dialect dialect, HttpRequest http, Caller caller, Presence presence) {
        if (lifecycle.isRefusing()) {
            throw shuttingDown();
        }
        long receivedNanos = System.nanoTime();
        Duration window = resumables.window(http);
        return switch (limiter.start(caller)) {
            case Limiter.Exceeded exceeded ->
                CompletableFuture.completedFuture(RateHeaders.add(
                        Responses.error(ErrorTable.rateLimited(exceeded.what(), exceeded.retryAfterSeconds())),
                        exceeded.quotas()));
            case Limiter.Granted(Limiter.Lease lease) ->
                read(http)
                        .thenCompose(
                                body -> open(prepare(dialect, body, receivedNanos, caller, lease, window), presence))
                        .whenComplete((_, failure) -> {
                            if (failure != null) {
                                lease.settle(0);
                            }
                        })
                        .thenApply(response -> RateHeaders.add(response, lease.quotas()));
        };
    }

    private CompletionStage<byte[]> read(HttpRequest http) {
        try {
            return RequestBody.read(http, settings, materializer);
        } catch (ApiException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private Running prepare(
            Dialect dialect,
            byte[] body,
            long receivedNanos,
            Caller caller,
            Limiter.Lease lease,
            @Nullable Duration window) {
        ParsedRequest parsed = dialect == Dialect.CHAT
                ? chatReader.read(body, model -> bounds(model, caller))
                : textReader.read(body, model -> bounds(model, caller));
        ServedModel model = find(parsed.model(), caller)
                .orElseThrow(() -> new ApiException(ErrorTable.modelUnknown(parsed.model())));
        if (window != null && !parsed.stream()) {
            throw new ApiException(
                    ApiError.invalid("invalid_value", ResumableStreams.ASKED, "Only streams can be resumed."));
        }
        if (window != null && resumables.isFull()) {
            throw new ApiException(ErrorTable.of(
                    new StreamFailure.TooManyStreams(settings.streams().maxStreams())));
        }
        String id = ids.next(dialect.idPrefix());
        long nowMillis = clock.millis();
        StreamRequest request = new StreamRequest(
                id,
                model.id(),
                parsed.prompt(),
                parsed.generation(),
                model.contextTokens(),
                receivedNanos,
                settings.requestDeadline(),
                nowMillis + settings.requestDeadline().toMillis(),
                model.residency().and(caller.residency()),
                caller.cacheScope(),
                false,
                null);
        ReplyHead head = new ReplyHead(id, nowMillis / 1000, model.id(), Models.fingerprint(model), parsed.saidTier());
        return new Running(
                dialect,
                parsed,
                request,
                head,
                parsed.stream() && window == null ? Journal.streamed(journals) : Journal.gathered(journals),
                lease,
                caller,
                window);
    }

    private static ApiException shuttingDown() {
        return new ApiException(ErrorTable.of(new StreamFailure.ShuttingDown()));
    }

    private Optional<ServedModel> find(String model, Caller caller) {
        if (!caller.mayUse(model)) {
            throw new ApiException(ErrorTable.modelForbidden());
        }
        Optional<ServedModel> found = directory.find(model);
        found.ifPresent(served -> {
            if (!served.residency().allows(directory.region())) {
                throw new ApiException(
                        ErrorTable.regionForbidden("This model", served.residency(), directory.region()));
            }
        });
        return found;
    }

    private ParsedRequest.@Nullable ModelBounds bounds(String model, Caller caller) {
        return find(model, caller)
                .map(served -> new ParsedRequest.ModelBounds(served.contextTokens(), served.vocabSize()))
                .orElse(null);
    }

    private CompletionStage<HttpResponse> open(Running running, Presence presence) {
        CompletionStage<EdgeMux.Opening> opening = AskPattern.ask(
                mux,
                replyTo -> new EdgeMux.Open(running.request(), running.journal(), replyTo),
                settings.requestDeadline().plus(ASK_MARGIN),
                system.scheduler());
        // A mux that has drained answers nothing any more.
        opening = opening.exceptionally(failure -> {
            if (lifecycle.isRefusing()) {
                throw shuttingDown();
            }
            throw new CompletionException(failure);
        });
        AtomicBoolean kept = new AtomicBoolean();
        presence.onGone(() -> {
            if (!kept.get()) {
                mux.tell(new EdgeMux.ClientGone(running.request().id()));
                running.settle(0);
            }
        });
        return answered(running, opening, kept, presence);
    }

    private CompletionStage<HttpResponse> answered(
            Running running, CompletionStage<EdgeMux.Opening> opening, AtomicBoolean kept, Presence presence) {
        return opening.thenComposeAsync(
                answer -> switch (answer) {
                    case EdgeMux.Opened opened -> {
                        kept.set(running.resumeWindow() != null);
                        yield reply(running, opened, presence)
                                .thenApply(
                                        response -> response.addHeader(RawHeader.create(SERVED_BY, opened.servedBy())));
                    }
                    case EdgeMux.Rejected rejected ->
                        CompletableFuture.failedFuture(new ApiException(ErrorTable.of(rejected.reason())));
                    case EdgeMux.Loading loading ->
                        running.parsed().stream() && running.resumeWindow() == null
                                ? CompletableFuture.completedFuture(loading(running, loading, presence))
                                : answered(running, loading.later(), kept, presence)
                                        .thenApply(response -> response.addHeader(COLD_START));
                },
                system.executionContext());
    }

    /** A stream whose model is loaded first: comments say so until it begins, or an event why it does not. */
    private HttpResponse loading(Running running, EdgeMux.Loading loading, Presence presence) {
        ByteString comment = ByteString.fromString(": loading " + loading.model()
                + (loading.estimateMillis() < 0 ? "" : ", which takes about " + loading.estimateMillis() + " ms")
                + "\n\n");
        AtomicBoolean begun = new AtomicBoolean();
        CompletionStage<Source<ByteString, NotUsed>> later = loading.later()
                .thenApplyAsync(
                        answer -> {
                            begun.set(true);
                            return switch (answer) {
                                case EdgeMux.Opened opened ->
                                    Source.single(ByteString.fromString(": served by " + opened.servedBy() + "\n\n"))
                                            .concat(streamed(running, opened.promptTokens(), presence));
                                case EdgeMux.Rejected(StreamFailure reason) -> Source.single(failed(running, reason));
                                case EdgeMux.Loading again ->
                                    throw new IllegalStateException(again.model() + " is loaded already");
                            };
                        },
                        system.executionContext());
        String id = running.request().id();
        Source<ByteString, NotUsed> events = Source.single(comment)
                .concat(Source.completionStageSource(later)
                        .keepAlive(settings.commentInterval(), () -> begun.get() ? COMMENT : comment))
                .watchTermination((notUsed, done) -> {
                    done.whenComplete((_, failure) -> {
                        mux.tell(new EdgeMux.ClientGone(id));
                        running.settle(0);
                        over(failure, presence);
                    });
                    return notUsed;
                });
        return EventStream.response(events).addHeader(COLD_START);
    }

    private ByteString failed(Running running, StreamFailure reason) {
        StreamEnd.Failed end = new StreamEnd.Failed(reason);
        countFailure(end);
        SseWriter writer = new SseWriter(running.dialect(), running.head(), running.parsed(), 0, null);
        return ByteString.fromArrayUnsafe(writer.write(new JournalRead(List.of(), end)));
    }

    private CompletionStage<HttpResponse> reply(Running running, EdgeMux.Opened opened, Presence presence) {
        if (!running.parsed().stream()) {
            return whole(running, opened.promptTokens(), presence);
        }
        return CompletableFuture.completedFuture(
                running.resumeWindow() == null
                        ? EventStream.response(streamed(running, opened.promptTokens(), presence))
                        : kept(running, running.resumeWindow(), opened, presence));
    }

    private <T> Source<T, NotUsed> reads(
            Running running, Function<JournalRead, @Nullable T> show, JournalSource.@Nullable Quiet<T> quiet) {
        String id = running.request().id();
        return Source.fromGraph(
                new JournalSource<>(running.journal(), show, quiet, () -> mux.tell(new EdgeMux.ClientGone(id))));
    }

    private Source<ByteString, NotUsed> streamed(Running running, int promptTokens, Presence presence) {
        SseWriter writer = new SseWriter(running.dialect(), running.head(), running.parsed(), promptTokens, null);
        return this.reads(running, shows(running, writer, true), quiet()).watchTermination((notUsed, done) -> {
            done.whenComplete((_, failure) -> {
                running.settle(promptTokens);
                over(failure, presence);
            });
            return notUsed;
        });
    }

    private Function<JournalRead, @Nullable ByteString> shows(Running running, SseWriter writer, boolean measures) {
        FirstToken first = new FirstToken(running);
        return read -> {
            if (measures) {
                first.in(read);
                countFailure(read.end());
            }
            byte[] shown = writer.write(read);
            return shown.length == 0 ? null : ByteString.fromArrayUnsafe(shown);
        };
    }

    private JournalSource.Quiet<ByteString> quiet() {
        return new JournalSource.Quiet<>(settings.commentInterval(), COMMENT);
    }

    /** A stream that outlives this connection. */
    private HttpResponse kept(Running running, Duration window, EdgeMux.Opened opened, Presence presence) {
        int promptTokens = opened.promptTokens();
        Replay replay = new Replay(running.journal(), () -> running.settle(promptTokens), System::nanoTime);
        ResumableStreams.Kept stream = new ResumableStreams.Kept(
                directory.node() + "~" + running.request().id(),
                running,
                promptTokens,
                opened.servedBy(),
                running.caller().identity(),
                window,
                replay);
        resumables.keep(stream);
        return attach(stream, -1, true, presence)
                .addHeader(RawHeader.create(ResumableStreams.ASKED, Long.toString(window.toSeconds())));
    }

    private HttpResponse attach(ResumableStreams.Kept stream, long after, boolean first, Presence presence) {
        JournalReader reader = stream.replay().attach();
        if (reader == null) {
            throw new ApiException(ErrorTable.streamUnknown());
        }
        SseWriter writer = stream.writer(after);
        return EventStream.response(Source.fromGraph(
                                new JournalSource<>(reader, shows(stream.running(), writer, first), quiet(), () -> {}))
                        .watchTermination((notUsed, done) -> {
                            done.whenComplete((_, failure) -> over(failure, presence));
                            return notUsed;
                        }))
                .addHeader(RawHeader.create(ResumableStreams.ID, stream.id()));
    }

    /** Goes on with a stream behind the last event that its client has, here or at the edge of this region that keeps it. */
    CompletionStage<HttpResponse> resume(String id, HttpRequest http, Caller caller, Presence presence) {
        long after = ResumableStreams.lastEvent(http);
        String keeper = ResumableStreams.nodeOf(id);
        if (keeper.equals(directory.node())) {
            ResumableStreams.Kept stream = resumables
                    .find(id, caller.identity())
                    .orElseThrow(() -> new ApiException(ErrorTable.streamUnknown()));
            return CompletableFuture.completedFuture(
                    attach(stream, after, false, presence).addHeader(RawHeader.create(SERVED_BY, stream.servedBy())));
        }
        ActorRef<ResumeMessage> other =
                directory.streamKeeper(keeper).orElseThrow(() -> new ApiException(ErrorTable.streamUnknown()));
        CompletableFuture<StreamFollower.Followed> followed = new CompletableFuture<>();
        system.systemActorOf(
                StreamFollower.create(other, id, caller.identity(), after, FOLLOW_WITHIN, followed, materializer),
                "follower-" + UUID.randomUUID(),
                Props.empty());
        return followed.handle((found, failure) -> {
            if (found == null) {
                throw new ApiException(
                        failure instanceof StreamFollower.NotKeptException
                                ? ErrorTable.streamUnknown()
                                : ErrorTable.edgeUnreachable(keeper));
            }
            return EventStream.response(found.events()
                            .keepAlive(settings.commentInterval(), () -> COMMENT)
                            .watchTermination((notUsed, done) -> {
                                done.whenComplete((_, broken) -> over(broken, presence));
                                return notUsed;
                            }))
                    .addHeader(RawHeader.create(ResumableStreams.ID, id))
                    .addHeader(RawHeader.create(SERVED_BY, found.servedBy()));
        });
    }

    private CompletionStage<HttpResponse> whole(Running running, int promptTokens, Presence presence) {
        FirstToken first = new FirstToken(running);
        WholeReply reply = new WholeReply(running.dialect(), running.head(), running.parsed(), promptTokens);
        return this.<JournalRead>reads(running, read -> read, null)
                .runWith(
                        Sink.fold(reply, (gathered, read) -> {
                            first.in(read);
                            return gathered.add(read);
                        }),
                        materializer)
                .thenApply(gathered -> {
                    ApiError failure = gathered.failure();
                    if (failure != null) {
                        throw new ApiException(failure);
                    }
                    return HttpResponse.create()
                            .withEntity(WholeBody.of(
                                    gathered.toJson(), running.journal(), outcome -> over(outcome, presence)))
                            .addHeader(RawHeader.create("Server-Timing", gathered.serverTiming()));
                })
                .whenComplete((_, failure) -> {
                    running.settle(promptTokens);
                    if (failure != null) {
                        running.journal().discard();
                    }
                });
    }

    /** The last byte of a reply was handed over, or its client will get no more. */
    private void over(@Nullable Throwable failure, Presence presence) {
        if (failure instanceof ClientCutOff cut) {
            metrics.refused(ErrorTable.of(cut.reason()).code());
        }
        presence.answered();
    }

    private void countFailure(@Nullable StreamEnd end) {
        if (end instanceof StreamEnd.Failed failed) {
            metrics.refused(ErrorTable.of(failed.reason()).code());
        }
    }

    /** Measures the time to the first token, once. */
    private final class FirstToken {
        private final Running running;
        private boolean seen;

        FirstToken(Running running) {
            this.running = running;
        }

        void in(JournalRead read) {
            if (!seen && !read.entries().isEmpty()) {
                seen = true;
                metrics.of(running.request().model())
                        .firstToken(System.nanoTime() - running.request().receivedNanos());
            }
        }
    }
}

package dev.meridian.edge.stream;

import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.ChatMessage;
import dev.meridian.protocol.Entry;
import dev.meridian.protocol.FinishReason;
import dev.meridian.protocol.Generation;
import dev.meridian.protocol.Prompt;
import dev.meridian.protocol.Role;
import dev.meridian.protocol.Sampling;
import dev.meridian.protocol.TokenIds;
import dev.meridian.protocol.cluster.Residency;
import dev.meridian.protocol.message.ReplicaCommand;
import dev.meridian.protocol.message.ReplicaCommand.Submit;
import dev.meridian.protocol.message.StreamEvent;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/** A mux whose time, directory and replicas a test owns. */
final class MuxFixture implements AutoCloseable {
    static final Duration TICK = Duration.ofMillis(100);
    static final Duration ACCEPT = Duration.ofMillis(500);
    static final Duration SILENCE = Duration.ofSeconds(1);
    static final Duration STALL = Duration.ofSeconds(5);
    static final Duration READER_STALL = Duration.ofSeconds(30);
    static final Duration REPLICA_WAIT = Duration.ofSeconds(5);
    static final Duration DEADLINE = Duration.ofSeconds(60);
    /** The mux's own timer never fires: tests tick. */
    static final Duration NEVER = Duration.ofDays(1);

    static final long EPOCH = 7;
    static final long SCOPE = -77;
    static final String SERVED_BY = "eu/node/m";
    static final StreamSettings SETTINGS = new StreamSettings(
            NEVER, ACCEPT, SILENCE, STALL, 5, 2, REPLICA_WAIT, 1000, 3, 1_000_000, 500_000, READER_STALL);

    final ActorTestKit kit = ActorTestKit.create();
    final Map<String, ActorRef<ReplicaCommand>> directory = new ConcurrentHashMap<>();
    /** Of hosts that are not in "eu". The directory does not look at them: that is the gate's matter. */
    final Map<ActorRef<ReplicaCommand>, String> regions = new ConcurrentHashMap<>();

    private final AtomicLong nanos = new AtomicLong(1);
    final DemandMeter demand = new DemandMeter(Duration.ofMinutes(10), Duration.ofMinutes(1), nanos::get);

    /** What is to come of models without a replica. */
    volatile Replicas.@Nullable Coming coming;

    final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    final JournalBudget journals;
    final StreamMetrics metrics;
    final RoutingJournal routes = new RoutingJournal("eu", () -> Instant.ofEpochMilli(5000));
    final TestProbe<ReplicaCommand> replica = kit.createTestProbe();
    final TestProbe<EdgeMux.Opening> opening = kit.createTestProbe();
    final ActorRef<EdgeMux.Command> mux;
    final List<ActorRef<ReplicaCommand>> unanswered = new CopyOnWriteArrayList<>();

    @Nullable
    volatile ActorRef<ReplicaCommand> entrance;

    private final TestProbe<EdgeMux.Opening> fence = kit.createTestProbe();

    MuxFixture() {
        this(SETTINGS);
    }

    MuxFixture(StreamSettings settings) {
        directory.put("m", replica.getRef());
        journals = new JournalBudget(settings.maxJournalBytes());
        metrics = new StreamMetrics(registry, journals, demand, routes);
        mux = kit.spawn(EdgeMux.create(settings, new Directory(), journals, metrics, nanos::get));
    }

    /** Replicas by model; first attempts go to {@link #entrance} where there is one. */
    private final class Directory implements Replicas {
        @Override
        public Optional<Destination> replica(
                String model, Residency residency, @Nullable ActorRef<ReplicaCommand> but) {
            return Optional.ofNullable(directory.get(model)).flatMap(this::destination);
        }

        @Override
        public Optional<Coming> coming(String model, Residency residency) {
            return model.equals("m") ? Optional.ofNullable(coming) : Optional.empty();
        }

        @Override
        public Optional<Destination> destination(ActorRef<ReplicaCommand> host) {
            return Optional.of(new Destination(host, regions.getOrDefault(host, "eu"), "node", "m"));
        }

        @Override
        public long epoch(ActorRef<ReplicaCommand> host) {
            return EPOCH;
        }

        @Override
        public void submitFirst(ActorRef<ReplicaCommand> host, Submit submit) {
            ActorRef<ReplicaCommand> first = entrance;
            (first == null ? host : first).tell(submit);
        }

        @Override
        public void firstUnanswered(ActorRef<ReplicaCommand> host) {
            unanswered.add(host);
        }
    }

    /** One open stream with its journal. */
    static final class Client {
        final String id;
        final Journal journal;
        final StringBuilder text = new StringBuilder();

        @Nullable
        StreamEnd end;

        Client(String id, Journal journal) {
            this.id = id;
            this.journal = journal;
        }

        /** Everything read so far, all choices in order of arrival. */
        String read() {
            JournalRead read;
            do {
                read = journal.take();
                read.entries().forEach(entry -> text.append(entry.text()));
            } while (!read.entries().isEmpty());
            end = read.end();
            return text.toString();
        }
    }

    Client open(String id, int choices, int maxTokens) {
        return open(id, choices, maxTokens, false);
    }

    Client openProbe(String id) {
        return open(id, 1, 1, true);
    }

    private Client open(String id, int choices, int maxTokens, boolean probe) {
        return open(id, choices, maxTokens, probe, Residency.ANYWHERE);
    }

    Client openBound(String id, String... regions) {
        return open(id, 1, 0, false, Residency.in(List.of(regions)));
    }

    private Client open(String id, int choices, int maxTokens, boolean probe, Residency residency) {
        Client client = new Client(id, Journal.streamed(probe ? new JournalBudget(1000) : journals));
        Prompt prompt = new Prompt.Chat(List.of(new ChatMessage(Role.USER, "hi")));
        Generation generation = new Generation(Sampling.greedy(), choices, maxTokens, List.of(), -1);
        StreamRequest request = new StreamRequest(
                id,
                "m",
                prompt,
                generation,
                512,
                nanos.get(),
                DEADLINE,
                DEADLINE.toMillis(),
                residency,
                SCOPE,
                probe,
                null);
        mux.tell(new EdgeMux.Open(request, client.journal, opening.getRef()));
        return client;
    }

    /** Opens, and accepts at the first replica. */
    Client openAccepted(String id, int choices) {
        Client client = open(id, choices, 0);
        Submit submit = replica.expectMessageClass(Submit.class);
        accept(submit, replica);
        opening.expectMessage(new EdgeMux.Opened(3, SERVED_BY));
        lastSubmit = submit;
        return client;
    }

    @Nullable
    Submit lastSubmit;

    Submit submit() {
        if (lastSubmit == null) {
            throw new IllegalStateException("nothing was submitted yet");
        }
        return lastSubmit;
    }

    static void accept(Submit submit, TestProbe<ReplicaCommand> producer) {
        submit.edge().tell(new StreamEvent.Accepted(submit.attempt(), producer.getRef(), TokenIds.of(1, 2, 3)));
    }

    static void send(Submit submit, TestProbe<ReplicaCommand> producer, long step, Entry... entries) {
        submit.edge().tell(new StreamEvent.StepBatch(producer.getRef(), step, List.of(entries)));
    }

    static void heartbeat(Submit submit, TestProbe<ReplicaCommand> producer, long step, Attempt... live) {
        submit.edge().tell(new StreamEvent.Heartbeat(producer.getRef(), step, List.of(live)));
    }

    static Entry entry(Attempt attempt, int choice, int index, String text) {
        return new Entry(attempt, choice, index, 100 + index, text, null, List.of(), null, null);
    }

    static Entry last(Attempt attempt, int choice, int index, String text) {
        return new Entry(attempt, choice, index, 100 + index, text, null, List.of(), FinishReason.STOP, null);
    }

    /** Lets time pass tick by tick, and returns when the mux has seen all of it. */
    void pass(Duration duration) {
        settle();
        for (long left = duration.toMillis(); left > 0; left -= TICK.toMillis()) {
            nanos.addAndGet(TICK.toNanos());
            mux.tell(new EdgeMux.Tick());
            settle();
        }
    }

    /** Returns when the mux has handled everything that was sent to it before. */
    void settle() {
        StreamRequest nowhere = new StreamRequest(
                "fence",
                "no such model",
                new Prompt.Text(""),
                new Generation(Sampling.greedy(), 1, 1, List.of(), -1),
                1,
                nanos.get(),
                DEADLINE,
                0,
                Residency.ANYWHERE,
                0,
                false,
                null);
        mux.tell(new EdgeMux.Open(nowhere, Journal.streamed(new JournalBudget(1)), fence.getRef()));
        fence.receiveMessage();
    }

    double activeStreams() {
        return registry.get("meridian.streams.active").gauge().value();
    }

    /** Of model "m"; 0 where it has no such meter yet. */
    double count(String name) {
        Counter counter = registry.find(name).tag("model", "m").counter();
        return counter == null ? 0 : counter.count();
    }

    void expectNothingMore(TestProbe<ReplicaCommand> probe) {
        settle();
        probe.expectNoMessage(Duration.ZERO);
    }

    @Override
    public void close() {
        kit.shutdownTestKit();
    }
}

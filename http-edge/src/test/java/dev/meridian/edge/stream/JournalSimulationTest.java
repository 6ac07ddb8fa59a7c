package dev.meridian.edge.stream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.Entry;
import dev.meridian.protocol.FinishReason;
import dev.meridian.protocol.Generation;
import dev.meridian.protocol.Prompt;
import dev.meridian.protocol.Sampling;
import dev.meridian.protocol.TokenLogprob;
import dev.meridian.protocol.cluster.Residency;
import dev.meridian.protocol.message.ReplicaCommand;
import dev.meridian.protocol.message.ReplicaCommand.Submit;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Clients come, read, dawdle and leave at random while replicas send at random; after every event all journals are
 * counted.
 */
final class JournalSimulationTest {
    private static final long LIMIT = 60_000;
    private static final int EVENTS = 600;

    private final Random random = new Random();
    private final Map<String, Stream> open = new HashMap<>();
    private final List<Journal> all = new ArrayList<>();
    private int refused;
    private int overflowed;

    /** One client and what its replica has sent. */
    private static final class Stream {
        final StreamRequest request;
        final Journal journal;
        final Submit submit;
        final int[] next;
        final boolean[] finished;

        Stream(StreamRequest request, Journal journal, Submit submit) {
            this.request = request;
            this.journal = journal;
            this.submit = submit;
            next = new int[request.generation().choices()];
            finished = new boolean[next.length];
        }
    }

    private static MuxFixture fixture() {
        return new MuxFixture(new StreamSettings(
                MuxFixture.NEVER,
                MuxFixture.NEVER,
                MuxFixture.NEVER,
                MuxFixture.NEVER,
                5,
                2,
                MuxFixture.REPLICA_WAIT,
                1000,
                1000,
                LIMIT,
                LIMIT / 2,
                MuxFixture.READER_STALL));
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5})
    void whatIsHeldAndReservedNeverPassesTheBoundAndReturnsToZero(long seed) {
        random.setSeed(seed);
        try (MuxFixture fixture = fixture()) {
            for (int event = 0; event < EVENTS; event++) {
                anyEvent(fixture, event, 12);
                long used = counted(fixture, seed, event);
                assertThat(used).as("seed %d, event %d", seed, event).isLessThanOrEqualTo(LIMIT);
            }
            assertThat(refused).as("seed %d: the bound was reached", seed).isPositive();
            assertThat(overflowed).as("seed %d", seed).isZero();
            allLeave(fixture, seed);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5})
    void textsLongerThanExpectedNeverHoldMoreThanTheBound(long seed) {
        random.setSeed(seed);
        try (MuxFixture fixture = fixture()) {
            for (int event = 0; event < EVENTS; event++) {
                anyEvent(fixture, event, 10_000);
                counted(fixture, seed, event);
                assertThat(fixture.journals.heldBytes())
                        .as("seed %d, event %d", seed, event)
                        .isLessThanOrEqualTo(LIMIT);
            }
            assertThat(overflowed).as("seed %d: the bound was reached", seed).isPositive();
            allLeave(fixture, seed);
        }
    }

    private void anyEvent(MuxFixture fixture, int event, int longest) {
        switch (random.nextInt(10)) {
            case 0, 1 -> open(fixture, "r" + event);
            case 2 -> anyStream().ifPresent(stream -> leave(fixture, stream));
            case 3, 4 -> anyStream().ifPresent(this::read);
            case 5 -> fixture.pass(Duration.ofMillis(300));
            default -> anyStream().ifPresent(stream -> send(fixture, stream, longest));
        }
        fixture.settle();
    }

    private Optional<Stream> anyStream() {
        List<Stream> streams = new ArrayList<>(open.values());
        streams.sort(Comparator.comparing(stream -> stream.request.id()));
        return streams.isEmpty() ? Optional.empty() : Optional.of(streams.get(random.nextInt(streams.size())));
    }

    private void open(MuxFixture fixture, String id) {
        Generation generation = new Generation(
                Sampling.greedy(), 1 + random.nextInt(3), 1 + random.nextInt(60), List.of(), random.nextInt(4) - 1);
        StreamRequest request = new StreamRequest(
                id,
                "m",
                new Prompt.Text(""),
                generation,
                512,
                0,
                Duration.ofDays(1),
                Long.MAX_VALUE,
                Residency.ANYWHERE,
                0,
                false,
                null);
        Journal journal =
                random.nextBoolean() ? Journal.streamed(fixture.journals) : Journal.gathered(fixture.journals);
        long free = LIMIT - fixture.journals.heldBytes() - fixture.journals.reservedBytes();
        long needed = request.worstJournalBytes();
        fixture.mux.tell(new EdgeMux.Open(request, journal, fixture.opening.getRef()));
        if (needed > LIMIT / 2) {
            fixture.opening.expectMessage(new EdgeMux.Rejected(new StreamFailure.ReplyTooLarge(needed, LIMIT / 2)));
        } else if (needed > free) {
            fixture.opening.expectMessage(new EdgeMux.Rejected(new StreamFailure.JournalFull(LIMIT)));
            refused++;
        } else {
            Submit submit = nextSubmit(fixture, id);
            MuxFixture.accept(submit, fixture.replica);
            fixture.opening.expectMessage(new EdgeMux.Opened(3, MuxFixture.SERVED_BY));
            open.put(id, new Stream(request, journal, submit));
            all.add(journal);
        }
    }

    private static Submit nextSubmit(MuxFixture fixture, String id) {
        while (true) {
            ReplicaCommand command = fixture.replica.receiveMessage();
            if (command instanceof Submit submit && submit.attempt().requestId().equals(id)) {
                return submit;
            }
        }
    }

    private void send(MuxFixture fixture, Stream stream, int longest) {
        int choice = random.nextInt(stream.next.length);
        if (stream.finished[choice]) {
            return;
        }
        int index = stream.next[choice]++;
        Generation generation = stream.request.generation();
        boolean last = index + 1 == generation.maxTokens() || random.nextInt(30) == 0;
        stream.finished[choice] = last;
        String text = "x".repeat(random.nextInt(longest + 1));
        TokenLogprob logprob = generation.topLogprobs() < 0 ? null : new TokenLogprob(7, "tok", "746f6b", -1f);
        Entry entry = new Entry(
                new Attempt(stream.request.id(), 1),
                choice,
                index,
                7,
                text,
                logprob,
                Collections.nCopies(Math.max(0, generation.topLogprobs()), new TokenLogprob(8, "a", "61", -2f)),
                last ? FinishReason.STOP : null,
                null);
        MuxFixture.send(stream.submit, fixture.replica, index, entry);
    }

    private void read(Stream stream) {
        StreamEnd end = stream.journal.take().end();
        if (end instanceof StreamEnd.Failed(StreamFailure.JournalOverflow _)) {
            overflowed++;
        }
        if (end != null) {
            stream.journal.discard();
            open.remove(stream.request.id());
        }
    }

    private void leave(MuxFixture fixture, Stream stream) {
        fixture.mux.tell(new EdgeMux.ClientGone(stream.request.id()));
        open.remove(stream.request.id());
    }

    /** What the budget says, which must be what the journals have. */
    private long counted(MuxFixture fixture, long seed, int event) {
        long held = all.stream().mapToLong(Journal::heldBytes).sum();
        assertThat(fixture.journals.heldBytes())
                .as("seed %d, event %d", seed, event)
                .isEqualTo(held);
        return held + fixture.journals.reservedBytes();
    }

    private void allLeave(MuxFixture fixture, long seed) {
        List.copyOf(open.values()).forEach(stream -> leave(fixture, stream));
        fixture.settle();
        assertThat(counted(fixture, seed, EVENTS)).as("seed %d", seed).isZero();
        assertThat(fixture.activeStreams()).as("seed %d", seed).isZero();
    }
}

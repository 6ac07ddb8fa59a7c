package dev.meridian.edge.stream;

import static dev.meridian.edge.stream.MuxFixture.accept;
import static dev.meridian.edge.stream.MuxFixture.entry;
import static dev.meridian.edge.stream.MuxFixture.last;
import static dev.meridian.edge.stream.MuxFixture.send;
import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.edge.stream.MuxFixture.Client;
import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.Generation;
import dev.meridian.protocol.Prompt;
import dev.meridian.protocol.Sampling;
import dev.meridian.protocol.cluster.Residency;
import dev.meridian.protocol.message.ReplicaCommand.Cancel;
import dev.meridian.protocol.message.ReplicaCommand.Submit;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What journals may hold: reserved before it comes, given back when it is read, and never more than the bound. */
final class JournalBoundsTest {
    private static final int TOKEN = 144;
    private static final long LIMIT = 100L * TOKEN;
    private static final Duration READER_STALL = Duration.ofSeconds(3);
    private final MuxFixture fixture = new MuxFixture(settings(LIMIT, LIMIT));

    private static StreamSettings settings(long limit, long streamLimit) {
        return new StreamSettings(
                MuxFixture.NEVER,
                MuxFixture.ACCEPT,
                MuxFixture.SILENCE,
                MuxFixture.STALL,
                5,
                2,
                MuxFixture.REPLICA_WAIT,
                1000,
                10,
                limit,
                streamLimit,
                READER_STALL);
    }

    @AfterEach
    void stop() {
        fixture.close();
    }

    private Submit opened(String id, int choices, int maxTokens) {
        fixture.open(id, choices, maxTokens);
        Submit submit = fixture.replica.expectMessageClass(Submit.class);
        accept(submit, fixture.replica);
        fixture.opening.expectMessage(new EdgeMux.Opened(3, MuxFixture.SERVED_BY));
        return submit;
    }

    private Client opened(String id, int tokens) {
        Client client = fixture.open(id, 1, tokens);
        fixture.lastSubmit = fixture.replica.expectMessageClass(Submit.class);
        accept(fixture.submit(), fixture.replica);
        fixture.opening.expectMessage(new EdgeMux.Opened(3, MuxFixture.SERVED_BY));
        return client;
    }

    private void assertBytes(long held, long reserved) {
        fixture.settle();
        assertThat(fixture.journals.heldBytes()).as("held").isEqualTo(held);
        assertThat(fixture.journals.reservedBytes()).as("reserved").isEqualTo(reserved);
    }

    @ParameterizedTest
    @CsvSource({"1, 600, -1, 86400", "2, 10, -1, 2880", "1, 0, -1, 73728", "1, 10, 0, 3080", "3, 10, 20, 107640"})
    void aRequestReservesItsTokensWithTheirLogProbabilities(int choices, int tokens, int topLogprobs, long bytes) {
        Generation generation = new Generation(Sampling.greedy(), choices, tokens, List.of(), topLogprobs);
        StreamRequest request = new StreamRequest(
                "r",
                "m",
                new Prompt.Text(""),
                generation,
                tokens == 0 ? 512 : 8192,
                0,
                Duration.ofSeconds(1),
                0,
                Residency.ANYWHERE,
                0,
                false,
                null);
        assertThat(request.worstJournalBytes()).isEqualTo(bytes);
    }

    @Test
    void aStreamThatMayNotFitIsRefusedBeforeAnythingIsSubmitted() {
        opened("a", 1, 60);
        assertBytes(0, 60 * TOKEN);
        fixture.open("b", 2, 21);
        fixture.opening.expectMessage(new EdgeMux.Rejected(new StreamFailure.JournalFull(LIMIT)));
        fixture.expectNothingMore(fixture.replica);
        opened("c", 2, 20);
        assertBytes(0, LIMIT);
        fixture.mux.tell(new EdgeMux.ClientGone("a"));
        assertBytes(0, 40 * TOKEN);
    }

    @Test
    void aHeapOfOneGibibyteCarriesAThousandStreamsOf600Tokens() {
        long quarter = (1L << 30) / 4;
        StreamSettings settings = new StreamSettings(
                MuxFixture.NEVER,
                MuxFixture.ACCEPT,
                MuxFixture.SILENCE,
                MuxFixture.STALL,
                5,
                2,
                MuxFixture.REPLICA_WAIT,
                1000,
                2048,
                quarter,
                quarter / 4,
                READER_STALL);
        try (MuxFixture full = new MuxFixture(settings)) {
            for (int i = 0; i < 1000; i++) {
                full.open("r" + i, 1, 500);
                full.open("s" + i, 1, 100);
            }
            full.settle();
            assertThat(full.activeStreams()).isEqualTo(2000);
            assertThat(full.journals.reservedBytes()).isEqualTo(1000L * 600 * TOKEN);
        }
    }

    @Test
    void whatComesTakesThePlaceOfItsReservationAndIsGivenBackWhenItIsRead() {
        Client client = opened("a", 50);
        Attempt attempt = fixture.submit().attempt();
        send(fixture.submit(), fixture.replica, 1, entry(attempt, 0, 0, "word"), entry(attempt, 0, 1, "word"));
        assertBytes(2 * 128, 48 * TOKEN);
        assertThat(client.read()).isEqualTo("wordword");
        assertBytes(0, 48 * TOKEN);
        send(fixture.submit(), fixture.replica, 2, last(attempt, 0, 2, "end!"));
        assertBytes(128, 0);
        assertThat(client.read()).isEqualTo("wordwordend!");
        assertBytes(0, 0);
    }

    @Test
    void aPromptThatLeavesLessRoomGivesBackTheRest() {
        try (MuxFixture roomy = new MuxFixture(settings(1_000_000, 1_000_000))) {
            roomy.open("a", 1, 0);
            Submit submit = roomy.replica.expectMessageClass(Submit.class);
            assertThat(roomy.journals.reservedBytes()).isEqualTo(512 * TOKEN);
            accept(submit, roomy.replica);
            roomy.settle();
            assertThat(roomy.journals.reservedBytes()).isEqualTo((512 - 3) * TOKEN);
        }
    }

    @Test
    void longTextsDrawOnTheReservationOfTheirStream() {
        opened("a", 50);
        Attempt attempt = fixture.submit().attempt();
        send(fixture.submit(), fixture.replica, 1, entry(attempt, 0, 0, "x".repeat(1000)));
        assertBytes(2120, 50 * TOKEN - 2120);
    }

    @Test
    void aRequestThatCouldNeverFitIsToldSo() {
        try (MuxFixture strict = new MuxFixture(settings(LIMIT, LIMIT / 2))) {
            strict.open("a", 1, 51);
            strict.opening.expectMessage(new EdgeMux.Rejected(new StreamFailure.ReplyTooLarge(51 * TOKEN, LIMIT / 2)));
            strict.expectNothingMore(strict.replica);
        }
    }

    @Test
    void aHealthCheckPassesWhileJournalsAreFull() {
        opened("a", 1, 100);
        fixture.openProbe("ready");
        Submit probe = fixture.replica.expectMessageClass(Submit.class);
        accept(probe, fixture.replica);
        fixture.opening.expectMessage(new EdgeMux.Opened(3, MuxFixture.SERVED_BY));
        send(probe, fixture.replica, 1, last(probe.attempt(), 0, 0, "a"));
        assertBytes(0, LIMIT);
    }

    @Test
    void whereUnreadTextsPassTheBoundTheStreamWithMostOfThemEnds() {
        Client slowest = opened("a", 30);
        Submit first = fixture.submit();
        Client slow = opened("b", 30);
        Submit second = fixture.submit();
        send(first, fixture.replica, 1, entry(first.attempt(), 0, 0, "a".repeat(4000)));
        send(second, fixture.replica, 2, entry(second.attempt(), 0, 0, "b".repeat(3200)));
        fixture.replica.expectMessage(new Cancel(first.attempt()));
        assertBytes(6520, 0);
        assertThat(slowest.read()).isEmpty();
        assertThat(slowest.end).isEqualTo(new StreamEnd.Failed(new StreamFailure.JournalOverflow(LIMIT)));
        send(second, fixture.replica, 3, last(second.attempt(), 0, 1, "!"));
        fixture.settle();
        assertThat(slow.read()).isEqualTo("b".repeat(3200) + "!");
        assertThat(slow.end).isInstanceOf(StreamEnd.Finished.class);
    }

    @Test
    void aTextThatNoJournalCanHoldEndsItsOwnStream() {
        Client client = opened("a", 30);
        Attempt attempt = fixture.submit().attempt();
        send(fixture.submit(), fixture.replica, 1, entry(attempt, 0, 0, "a".repeat(8000)));
        fixture.replica.expectMessage(new Cancel(attempt));
        assertBytes(0, 0);
        client.read();
        assertThat(client.end).isEqualTo(new StreamEnd.Failed(new StreamFailure.JournalOverflow(LIMIT)));
    }

    @Test
    void aClientThatTakesNothingIsCutOffAndCostsNothingMore() {
        Client stalled = opened("a", 30);
        Submit submit = fixture.submit();
        send(submit, fixture.replica, 1, entry(submit.attempt(), 0, 0, "a"));
        keepAlive(submit, READER_STALL);
        fixture.replica.expectMessage(new Cancel(submit.attempt()));
        assertBytes(0, 0);
        assertThat(stalled.journal.cutReason()).isEqualTo(new StreamFailure.ReaderTooSlow(READER_STALL));
        assertThat(stalled.read()).isEmpty();
        assertThat(stalled.end).isEqualTo(new StreamEnd.Failed(new StreamFailure.ReaderTooSlow(READER_STALL)));
    }

    @Test
    void aClientThatTakesNowAndThenIsLeftAlone() {
        Client slow = opened("a", 30);
        Submit submit = fixture.submit();
        for (int index = 0; index < 5; index++) {
            send(submit, fixture.replica, index, entry(submit.attempt(), 0, index, "a"));
            keepAlive(submit, READER_STALL.minusMillis(100));
            assertThat(slow.read()).hasSize(index + 1);
        }
        keepAlive(submit, READER_STALL.multipliedBy(2));
        assertThat(slow.journal.cutReason()).as("there was nothing to take").isNull();
    }

    @Test
    void aFinishedReplyThatNobodyReadsIsFreed() {
        Client stalled = opened("a", 30);
        Submit submit = fixture.submit();
        send(submit, fixture.replica, 1, last(submit.attempt(), 0, 0, "a"));
        assertBytes(122, 0);
        fixture.pass(READER_STALL);
        assertBytes(0, 0);
        stalled.read();
        assertThat(stalled.end).isEqualTo(new StreamEnd.Failed(new StreamFailure.ReaderTooSlow(READER_STALL)));
        fixture.expectNothingMore(fixture.replica);
    }

    @Test
    void aGatheredReplyCountsUntilItsClientHasIt() {
        Journal journal = Journal.gathered(fixture.journals);
        journal.append(entry(new Attempt("g", 1), 0, 0, "word"), 0);
        journal.append(last(new Attempt("g", 1), 0, 1, "word"), new StreamEnd.Abandoned());
        assertThat(journal.take().end()).isNotNull();
        journal.handedOver();
        assertBytes(2 * 128, 0);
        journal.discard();
        assertBytes(0, 0);
    }

    /** Lets time pass while the replica goes on speaking. */
    private void keepAlive(Submit submit, Duration duration) {
        for (long left = duration.toMillis(); left > 0; left -= MuxFixture.TICK.toMillis()) {
            MuxFixture.heartbeat(submit, fixture.replica, duration.toMillis() - left, submit.attempt());
            fixture.pass(MuxFixture.TICK);
        }
    }
}

package dev.meridian.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.engine.bundle.BundleManifest.SamplingDefaults;
import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.Generation;
import dev.meridian.protocol.Priority;
import dev.meridian.protocol.Refusal;
import dev.meridian.protocol.Sampling;
import java.util.List;
import org.junit.jupiter.api.Test;

class InboxTest {
    private final Inbox inbox = new Inbox(2, 0);

    private static Sequence sequence() {
        return sequence(Priority.STANDARD);
    }

    private static Sequence sequence(Priority priority) {
        SequenceRequest request =
                Requests.of("a", "hello", new Generation(Sampling.greedy(), 1, 1, List.of(), -1, priority));
        return new Sequence(
                request,
                SamplerSettings.resolve(request.generation().sampling(), SamplingDefaults.none()),
                new SequenceText(new LetterVocabulary(), List.of()),
                0,
                10,
                0);
    }

    @Test
    void whatWasTakenIsNotChangedByWhatComesLater() throws InterruptedException {
        inbox.cancel(new Attempt("x", 1));
        Inbox.Mail cancelOnly = inbox.take(true, _ -> 0);
        Sequence late = sequence();
        inbox.offer(List.of(late));
        inbox.cancel(new Attempt("y", 1));

        assertThat(cancelOnly.arrivals()).isEmpty();
        assertThat(cancelOnly.cancels()).containsExactly(new Attempt("x", 1));
        assertThat(inbox.take(true, _ -> 0).arrivals()).containsExactly(late);
        assertThat(inbox.take(false, _ -> 0).arrivals()).isEmpty();
    }

    @Test
    void countsWhatWaitsInTheEngineToo() throws InterruptedException {
        assertThat(inbox.offer(List.of(sequence()))).isEmpty();
        assertThat(inbox.offer(List.of(sequence(), sequence()))).contains(new Refusal.QueueFull(2));
        inbox.take(true, _ -> 0);
        inbox.take(false, priority -> priority == Priority.STANDARD ? 2 : 0);
        assertThat(inbox.offer(List.of(sequence()))).contains(new Refusal.QueueFull(2));
    }

    @Test
    void aFloodOfOneClassLeavesItsReserveToEachOther() throws InterruptedException {
        Inbox shared = new Inbox(10, 2);
        for (int i = 0; i < 6; i++) {
            assertThat(shared.offer(List.of(sequence(Priority.FLEX)))).isEmpty();
        }
        assertThat(shared.offer(List.of(sequence(Priority.FLEX)))).contains(new Refusal.QueueFull(10));
        assertThat(shared.offer(List.of(sequence(Priority.STANDARD), sequence(Priority.STANDARD))))
                .isEmpty();
        assertThat(shared.offer(List.of(sequence(Priority.STANDARD)))).contains(new Refusal.QueueFull(10));
        assertThat(shared.offer(List.of(sequence(Priority.PRIORITY), sequence(Priority.PRIORITY))))
                .isEmpty();
        assertThat(shared.offer(List.of(sequence(Priority.PRIORITY)))).contains(new Refusal.QueueFull(10));

        shared.take(false, _ -> 0);
        shared.take(false, priority -> priority == Priority.FLEX ? 5 : 0);
        assertThat(shared.offer(List.of(sequence(Priority.FLEX)))).isEmpty();
        assertThat(shared.offer(List.of(sequence(Priority.FLEX)))).contains(new Refusal.QueueFull(10));
    }

    @Test
    void handsBackWhatNobodyTookWhenItCloses() {
        Sequence waiting = sequence();
        inbox.offer(List.of(waiting));
        assertThat(inbox.close()).containsExactly(waiting);
        assertThat(inbox.offer(List.of(sequence())))
                .hasValueSatisfying(refusal -> assertThat(refusal).isInstanceOf(Refusal.EngineFailed.class));
    }
}

package dev.meridian.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.engine.bundle.BundleManifest.SamplingDefaults;
import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.Refusal;
import java.util.List;
import org.junit.jupiter.api.Test;

class InboxTest {
    private final Inbox inbox = new Inbox(2);

    private static Sequence sequence() {
        SequenceRequest request = Requests.greedy("a", "hello", 1);
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
        Inbox.Mail cancelOnly = inbox.take(true, 0);
        Sequence late = sequence();
        inbox.offer(List.of(late));
        inbox.cancel(new Attempt("y", 1));

        assertThat(cancelOnly.arrivals()).isEmpty();
        assertThat(cancelOnly.cancels()).containsExactly(new Attempt("x", 1));
        assertThat(inbox.take(true, 0).arrivals()).containsExactly(late);
        assertThat(inbox.take(false, 0).arrivals()).isEmpty();
    }

    @Test
    void countsWhatWaitsInTheEngineToo() throws InterruptedException {
        assertThat(inbox.offer(List.of(sequence()))).isEmpty();
        assertThat(inbox.offer(List.of(sequence(), sequence()))).contains(new Refusal.QueueFull(2));
        inbox.take(true, 0);
        inbox.take(false, 2);
        assertThat(inbox.offer(List.of(sequence()))).contains(new Refusal.QueueFull(2));
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

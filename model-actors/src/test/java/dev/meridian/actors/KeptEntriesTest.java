package dev.meridian.actors;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.Entry;
import dev.meridian.protocol.TokenLogprob;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class KeptEntriesTest {
    private static final Attempt ATTEMPT = new Attempt("a", 1);
    private static final int CHOICES = 7;
    private static final int PER_CHOICE = 10;
    private static final long LIMIT = 8_000;

    private static Entry entry(int choice, int index, int textLength, int alternatives) {
        TokenLogprob one = new TokenLogprob(1, "word", "776f7264", -1f);
        return new Entry(
                ATTEMPT,
                choice,
                index,
                1,
                "w".repeat(textLength),
                alternatives == 0 ? null : one,
                IntStream.range(0, alternatives).mapToObj(_ -> one).toList(),
                null,
                null);
    }

    /** What should be kept, by the plainest rule: a list of all in order of arrival. */
    private static void addPlainly(List<Entry> model, Entry added) {
        model.add(added);
        List<Entry> own =
                model.stream().filter(e -> e.choice() == added.choice()).toList();
        if (own.size() > PER_CHOICE) {
            model.remove(own.getFirst());
        }
        while (model.stream().mapToLong(Entry::heapBytes).sum() > LIMIT) {
            model.removeFirst();
        }
    }

    private static Optional<List<Entry>> plainlyFrom(List<Entry> model, int choice, int index, int next) {
        List<Entry> found = model.stream()
                .filter(e -> e.choice() == choice && e.index() >= index)
                .toList();
        boolean whole = !found.isEmpty() && found.getFirst().index() == index;
        return index >= next || whole ? Optional.of(found) : Optional.empty();
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
    void keepsTheNewestOfAllWithinBothBounds(long seed) {
        Random random = new Random(seed);
        KeptEntries kept = new KeptEntries(PER_CHOICE, LIMIT);
        List<Entry> model = new ArrayList<>();
        List<KeptEntries.OfChoice> choices = new ArrayList<>();
        int[] next = new int[CHOICES];
        for (int choice = 0; choice < CHOICES; choice++) {
            next[choice] = random.nextInt(3);
            choices.add(kept.newChoice(next[choice]));
        }
        for (int event = 0; event < 2_000; event++) {
            int choice = random.nextInt(random.nextBoolean() ? 2 : CHOICES);
            if (random.nextInt(40) == 0) {
                choices.get(choice).forget();
                model.removeIf(e -> e.choice() == choice);
            } else {
                int alternatives = random.nextInt(5) == 0 ? random.nextInt(20) : 0;
                Entry added = entry(choice, next[choice]++, random.nextInt(50), alternatives);
                choices.get(choice).add(added);
                addPlainly(model, added);
            }
            assertThat(kept.bytes())
                    .as("seed %d, event %d", seed, event)
                    .isEqualTo(model.stream().mapToLong(Entry::heapBytes).sum())
                    .isLessThanOrEqualTo(LIMIT);
            int asked = random.nextInt(CHOICES);
            int from = Math.max(0, next[asked] + 1 - random.nextInt(PER_CHOICE + 3));
            assertThat(choices.get(asked).from(from))
                    .as("seed %d, event %d, choice %d from %d", seed, event, asked, from)
                    .isEqualTo(plainlyFrom(model, asked, from, next[asked]));
        }
        choices.forEach(KeptEntries.OfChoice::forget);
        assertThat(kept.bytes()).as("seed %d", seed).isZero();
    }

    @Test
    void anEntryThatIsLargerThanTheBoundIsNotKept() {
        KeptEntries kept = new KeptEntries(PER_CHOICE, 200);
        KeptEntries.OfChoice choice = kept.newChoice(0);
        choice.add(entry(0, 0, 100, 0));

        assertThat(kept.bytes()).isZero();
        assertThat(choice.from(0)).isEmpty();
        assertThat(choice.from(1)).contains(List.of());
        choice.add(entry(0, 1, 1, 0));
        assertThat(choice.from(1)).contains(List.of(entry(0, 1, 1, 0)));
    }
}

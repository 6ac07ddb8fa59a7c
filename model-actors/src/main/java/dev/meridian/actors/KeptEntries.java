package dev.meridian.actors;

import dev.meridian.protocol.Entry;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The newest entries that a host has sent, so that a lost message can be sent again. Bounded twice: by the entries of each
 * choice, and by the bytes of all of them together. What is over goes in the order in which it came, whosever it is: an edge
 * misses an entry when the next one arrives, so that the older an entry is the less it is worth. Owned by the host actor.
 */
final class KeptEntries {
    private final int perChoice;
    private final long limitBytes;
    private @Nullable Kept oldest;
    private @Nullable Kept newest;
    private long bytes;

    /** {@code limitBytes} are estimated heap bytes as of {@link Entry#heapBytes}. */
    KeptEntries(int perChoice, long limitBytes) {
        this.perChoice = perChoice;
        this.limitBytes = limitBytes;
    }

    long bytes() {
        return bytes;
    }

    /** A choice whose first entry will have the index {@code firstIndex}. */
    OfChoice newChoice(int firstIndex) {
        return new OfChoice(firstIndex);
    }

    /** A link of the list of all entries in the order in which they came. */
    private static final class Kept {
        final Entry entry;
        final OfChoice choice;

        @Nullable
        Kept older;

        @Nullable
        Kept newer;

        Kept(Entry entry, OfChoice choice) {
            this.entry = entry;
            this.choice = choice;
        }
    }

    /** What is kept of one choice: entries with consecutive indexes, up to the newest one. */
    final class OfChoice {
        private final Deque<Kept> kept = new ArrayDeque<>();
        private int nextIndex;

        private OfChoice(int firstIndex) {
            nextIndex = firstIndex;
        }

        /** Keeps a choice's next entry, at the cost of older ones of any choice. */
        void add(Entry entry) {
            Kept added = new Kept(entry, this);
            nextIndex = entry.index() + 1;
            kept.addLast(added);
            link(added);
            if (kept.size() > perChoice) {
                unlink(kept.removeFirst());
            }
            while (bytes > limitBytes && oldest != null) {
                // The oldest of all is the oldest of its choice.
                unlink(oldest.choice.kept.removeFirst());
            }
        }

        /** The entries from an index on, none where it is still to be made; nothing where the first is kept no longer. */
        Optional<List<Entry>> from(int index) {
            if (index >= nextIndex) {
                return Optional.of(List.of());
            }
            if (kept.isEmpty() || kept.getFirst().entry.index() > index) {
                return Optional.empty();
            }
            int skipped = index - kept.getFirst().entry.index();
            return Optional.of(kept.stream().skip(skipped).map(one -> one.entry).toList());
        }

        void forget() {
            kept.forEach(KeptEntries.this::unlink);
            kept.clear();
        }
    }

    private void link(Kept added) {
        added.older = newest;
        if (newest == null) {
            oldest = added;
        } else {
            newest.newer = added;
        }
        newest = added;
        bytes += added.entry.heapBytes();
    }

    private void unlink(Kept gone) {
        if (gone.older == null) {
            oldest = gone.newer;
        } else {
            gone.older.newer = gone.newer;
        }
        if (gone.newer == null) {
            newest = gone.older;
        } else {
            gone.newer.older = gone.older;
        }
        bytes -= gone.entry.heapBytes();
    }
}

package dev.meridian.edge.stream;

import dev.meridian.protocol.Entry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * All entries of one stream, for clients that come back: whoever attaches reads from the first one on, and the one before is
 * let go. It is the reader of a gathered journal, so that what it keeps stays counted until {@link #close}. Thread-safe.
 */
public final class Replay {
    private static final int READ_ENTRIES = 64;

    private final Journal journal;
    private final Runnable whenEnded;
    private final LongSupplier nanoClock;
    private final List<Entry> entries = new ArrayList<>();
    private @Nullable StreamEnd end;
    private @Nullable Attached attached;
    private long unattendedSince;
    private boolean lost;

    /**
     * A replay, gathering.
     *
     * @param journal gathered, and read by nobody else
     * @param whenEnded runs once, when the stream has ended
     * @param nanoClock like {@link System#nanoTime}
     */
    public Replay(Journal journal, Runnable whenEnded, LongSupplier nanoClock) {
        this.journal = journal;
        this.whenEnded = whenEnded;
        this.nanoClock = nanoClock;
        unattendedSince = nanoClock.getAsLong();
        journal.onReady(this::gather);
        gather();
    }

    private void gather() {
        boolean ended;
        Attached told;
        synchronized (this) {
            boolean before = end != null;
            while (end == null) {
                JournalRead read = journal.take();
                entries.addAll(read.entries());
                end = read.end();
                if (read.entries().isEmpty()) {
                    break;
                }
            }
            ended = !before && end != null;
            // The edge needed the room: what is gone cannot be read again.
            if (journal.cutReason() != null || end instanceof StreamEnd.Failed(StreamFailure.JournalOverflow _)) {
                lost = true;
                entries.clear();
            }
            told = attached;
        }
        if (ended) {
            whenEnded.run();
        }
        if (told != null) {
            told.wake();
        }
    }

    /** A reader of all of it, from the first entry on; null where it is not whole any more. */
    public @Nullable JournalReader attach() {
        Attached before;
        Attached next;
        synchronized (this) {
            if (lost) {
                return null;
            }
            before = attached;
            next = new Attached();
            attached = next;
            unattendedSince = nanoClock.getAsLong();
        }
        if (before != null) {
            before.wake();
        }
        return next;
    }

    /** Whether nobody has been reading for that long. */
    public synchronized boolean isUnattendedFor(Duration time) {
        // A connection that broke before its reply began never starts to read.
        boolean reads = attached != null && attached.ready != null;
        return !reads && nanoClock.getAsLong() - unattendedSince >= time.toNanos();
    }

    /** Frees all; who reads is let go. */
    public void close() {
        Attached last;
        synchronized (this) {
            lost = true;
            last = attached;
            attached = null;
            entries.clear();
        }
        journal.discard();
        if (last != null) {
            last.wake();
        }
    }

    private synchronized void leave(Attached reader) {
        if (reader.equals(attached)) {
            attached = null;
            unattendedSince = nanoClock.getAsLong();
        }
    }

    private final class Attached implements JournalReader {
        private int next;
        private volatile @Nullable Runnable ready;

        void wake() {
            Runnable told = ready;
            if (told != null) {
                told.run();
            }
        }

        @Override
        public JournalRead take() {
            synchronized (Replay.this) {
                if (!this.equals(attached)) {
                    return new JournalRead(List.of(), new StreamEnd.Abandoned());
                }
                int from = Math.min(next, entries.size());
                int to = Math.min(from + READ_ENTRIES, entries.size());
                next = to;
                StreamEnd last = to == entries.size() ? end : null;
                JournalRead read = new JournalRead(List.copyOf(entries.subList(from, to)), last);
                if (last != null) {
                    leave(this);
                }
                return read;
            }
        }

        @Override
        public void onReady(Runnable newReader) {
            ready = newReader;
        }

        @Override
        public @Nullable StreamFailure cutReason() {
            return null;
        }

        @Override
        public void discard() {
            leave(this);
        }
    }
}

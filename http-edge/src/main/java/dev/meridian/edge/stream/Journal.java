package dev.meridian.edge.stream;

import dev.meridian.protocol.Entry;
import dev.meridian.protocol.TokenLogprob;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The entries of one stream that its client has not read yet. The mux appends and never waits; one reader takes everything
 * at its own pace, so a slow client costs these bytes and nothing else. Bounded, because the mux takes no more entries than
 * {@code maxTokens} per choice. Safe for one writer and one reader on different threads.
 */
public final class Journal {
    /** What an entry without text weighs on the heap: the record, its list slot, its string header (estimate, bytes). */
    private static final int ENTRY_BYTES = 120;

    private static final int LOGPROB_BYTES = 140;

    private final AtomicLong totalBytes;
    private List<Entry> unread = new ArrayList<>();
    private long unreadBytes;
    private @Nullable StreamEnd end;
    private @Nullable Runnable reader;

    /**
     * An empty journal.
     *
     * @param totalBytes the unread bytes of all journals of this edge
     */
    public Journal(AtomicLong totalBytes) {
        this.totalBytes = totalBytes;
    }

    /** Adds an entry; {@link #flush} makes it known. Entries behind the end are dropped. */
    synchronized void append(Entry entry) {
        if (end == null) {
            unread.add(entry);
            long bytes = bytesOf(entry);
            unreadBytes += bytes;
            totalBytes.addAndGet(bytes);
        }
    }

    /** Ends the journal; the first end counts. */
    synchronized void end(StreamEnd how) {
        if (end == null) {
            end = how;
        }
    }

    /** Tells the reader that there is something to take. */
    void flush() {
        Runnable told;
        synchronized (this) {
            told = reader;
        }
        if (told != null) {
            told.run();
        }
    }

    /** Names whom {@link #flush} tells, from the mux's thread: it must not block. */
    synchronized void onReady(Runnable newReader) {
        reader = newReader;
    }

    /** Everything since the last read; both parts may be empty. */
    synchronized JournalRead take() {
        List<Entry> taken = unread;
        unread = taken.isEmpty() ? taken : new ArrayList<>();
        totalBytes.addAndGet(-unreadBytes);
        unreadBytes = 0;
        return new JournalRead(taken.isEmpty() ? List.of() : taken, end);
    }

    /** Frees what nobody will read. */
    synchronized void discard() {
        end(new StreamEnd.Abandoned());
        take();
        reader = null;
    }

    synchronized long unreadBytes() {
        return unreadBytes;
    }

    private static long bytesOf(Entry entry) {
        long bytes = ENTRY_BYTES + 2L * entry.text().length();
        if (entry.logprob() != null) {
            bytes += LOGPROB_BYTES * (1L + entry.alternatives().size());
            for (TokenLogprob alternative : entry.alternatives()) {
                bytes +=
                        alternative.text().length() + (long) alternative.bytes().length();
            }
        }
        return bytes;
    }
}

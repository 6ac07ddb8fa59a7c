package dev.meridian.edge.stream;

import dev.meridian.protocol.Entry;
import dev.meridian.protocol.TokenLogprob;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The entries of one stream that its client has not read yet. The mux appends and never waits; one reader takes them
 * at its own pace, so a slow client costs these bytes and nothing else. Bounded, because the mux takes no more entries
 * than {@code maxTokens} per choice. Safe for one writer and one reader on different threads.
 */
public final class Journal {
    /**
     * What an entry without text weighs on the heap: the record, its list slot, its string header (estimate, bytes).
     */
    private static final int ENTRY_BYTES = 120;

    private static final int READ_BYTES = 65_536;
    private static final int LOGPROB_BYTES = 140;

    private final AtomicLong totalBytes;
    private final Queue<Entry> unread = new ArrayDeque<>();
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

    /** Adds the stream's last entry and its end at once, so that no reader sees the one without the other. */
    synchronized void append(Entry last, StreamEnd how) {
        append(last);
        end(how);
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

    /**
     * What has arrived since the last read, about {@value #READ_BYTES} bytes of it at most, so that what a slow client
     * has not read stays here, counted, and not in buffers behind. The end comes with the last entries; both may be
     * absent.
     */
    synchronized JournalRead take() {
        if (unread.isEmpty()) {
            return new JournalRead(List.of(), end);
        }
        List<Entry> taken = new ArrayList<>(Math.min(unread.size(), 64));
        long bytes = 0;
        while (!unread.isEmpty() && bytes < READ_BYTES) {
            Entry entry = unread.remove();
            bytes += bytesOf(entry);
            taken.add(entry);
        }
        unreadBytes -= bytes;
        totalBytes.addAndGet(-bytes);
        return new JournalRead(taken, unread.isEmpty() ? end : null);
    }

    /** Frees what nobody will read. */
    synchronized void discard() {
        end(new StreamEnd.Abandoned());
        unread.clear();
        totalBytes.addAndGet(-unreadBytes);
        unreadBytes = 0;
        reader = null;
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

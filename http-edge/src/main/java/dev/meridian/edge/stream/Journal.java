package dev.meridian.edge.stream;

import dev.meridian.protocol.Entry;
import dev.meridian.protocol.TokenLogprob;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * The entries of one stream that its client has not got yet. The mux appends and never waits; one reader takes them at
 * its own pace, so a slow client costs these bytes and nothing else. All of it is in the edge's {@link JournalBudget}:
 * first reserved as what the stream may need, then held as what it has brought, until its client got it. Safe for one
 * writer and one reader on different threads.
 *
 * <p>Sizes are estimates of heap bytes, of objects with compressed references.
 */
public final class Journal implements JournalReader {
    /** Two bytes for each of 12 characters; texts of a token have 3 to 6 on average. */
    private static final int RESERVED_TEXT_BYTES = 24;

    private static final int READ_BYTES = 16_384;

    private final JournalBudget budget;
    private final boolean gathered;
    private final Queue<Entry> unread = new ArrayDeque<>();
    private long unreadBytes;
    private long entries;
    /** Taken, and still in memory until the client has the whole reply. */
    private long gatheredBytes;

    private long reservedBytes;
    /** What is left of the first reservation when all that came is taken off: longer texts draw on shorter ones. */
    private long reservationLeft;

    private boolean handedOver;
    private boolean endTaken;
    private long takes;
    private @Nullable StreamEnd end;
    private @Nullable StreamFailure cutReason;
    private @Nullable Runnable reader;

    private Journal(JournalBudget budget, boolean gathered) {
        this.budget = budget;
        this.gathered = gathered;
    }

    /** A journal whose entries are out of memory soon after they were taken. */
    public static Journal streamed(JournalBudget budget) {
        return new Journal(budget, false);
    }

    /** A journal whose reader gathers them: they count until {@link #discard}. */
    public static Journal gathered(JournalBudget budget) {
        return new Journal(budget, true);
    }

    /** What is reserved for each token that may come; {@code topLogprobs} as in a Generation. */
    static long bytesPerToken(int topLogprobs) {
        return Entry.HEAP_BYTES
                + RESERVED_TEXT_BYTES
                + (1L + topLogprobs) * (TokenLogprob.HEAP_BYTES + RESERVED_TEXT_BYTES);
    }

    /** Takes {@code bytes} for what may come; the mux has asked whether they are there. */
    synchronized void reserve(long bytes) {
        reservationLeft = bytes;
        keepReserved(bytes);
    }

    /** Gives back what is reserved beyond {@code bytes}, which are all that may still come. */
    synchronized void expectAtMost(long bytes) {
        reservationLeft = Math.min(reservationLeft, bytes);
        keepReserved(Math.min(reservedBytes, bytes));
    }

    private void keepReserved(long bytes) {
        budget.reserve(bytes - reservedBytes);
        reservedBytes = bytes;
    }

    /**
     * Adds an entry, in place of its reservation; {@link #flush} makes it known. Entries behind the end are dropped.
     *
     * @param mayStillCome bytes that later entries may need
     */
    synchronized void append(Entry entry, long mayStillCome) {
        if (end == null) {
            unread.add(entry);
            entries++;
            long bytes = entry.heapBytes();
            reservationLeft -= bytes;
            keepReserved(Math.clamp(reservationLeft, 0, Math.min(reservedBytes, mayStillCome)));
            unreadBytes += bytes;
            budget.hold(bytes);
        }
    }

    /** Adds the stream's last entry and its end at once, so that no reader sees the one without the other. */
    synchronized void append(Entry last, StreamEnd how) {
        append(last, 0);
        end(how);
    }

    /** Ends the journal; the first end counts. */
    synchronized void end(StreamEnd how) {
        if (end == null) {
            end = how;
            keepReserved(0);
        }
    }

    /**
     * Frees everything: the reader gets {@code reason} instead, even where the stream had ended well. A gathered reply
     * that is on its way to the client is given up.
     */
    synchronized void fail(StreamFailure reason) {
        if (endTaken) {
            cutReason = reason;
        } else {
            end = new StreamEnd.Failed(reason);
        }
        handedOver = false;
        dropUnread();
        dropGathered();
        keepReserved(0);
    }

    /** Frees everything and tells the reader to give up on its client, who takes nothing. */
    void cut(StreamFailure reason) {
        synchronized (this) {
            fail(reason);
            cutReason = reason;
        }
        flush();
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
    @Override
    public synchronized void onReady(Runnable newReader) {
        reader = newReader;
    }

    /**
     * What has arrived since the last read, about {@value #READ_BYTES} bytes of it at most, so that what a slow client
     * has not read stays here, counted, and not in buffers behind. The end comes with the last entries; both may be
     * absent.
     */
    @Override
    public synchronized JournalRead take() {
        List<Entry> taken = new ArrayList<>(Math.min(unread.size(), 64));
        long bytes = 0;
        while (!unread.isEmpty() && bytes < READ_BYTES) {
            Entry entry = unread.remove();
            bytes += entry.heapBytes();
            taken.add(entry);
        }
        unreadBytes -= bytes;
        if (gathered) {
            gatheredBytes += bytes;
        } else {
            budget.hold(-bytes);
        }
        endTaken = end != null && unread.isEmpty();
        if (endTaken || !taken.isEmpty()) {
            takes++;
        }
        return new JournalRead(taken, endTaken ? end : null);
    }

    /** A gathered reply goes to its client; {@link #progressed} says that it moves. */
    public synchronized void handedOver() {
        handedOver = true;
    }

    public synchronized void progressed() {
        takes++;
    }

    /** Frees what nobody will read. */
    @Override
    public synchronized void discard() {
        end(new StreamEnd.Abandoned());
        endTaken = true;
        handedOver = false;
        dropUnread();
        dropGathered();
        reader = null;
    }

    private void dropUnread() {
        unread.clear();
        budget.hold(-unreadBytes);
        unreadBytes = 0;
    }

    private void dropGathered() {
        budget.hold(-gatheredBytes);
        gatheredBytes = 0;
    }

    /** Why the reader shall give its client up, or null. */
    @Override
    public synchronized @Nullable StreamFailure cutReason() {
        return cutReason;
    }

    /** Counts what the reader took: where it stands still and {@link #awaitsClient}, the client does not read. */
    synchronized long takes() {
        return takes;
    }

    synchronized boolean awaitsClient() {
        return !unread.isEmpty() || handedOver || (end != null && !endTaken);
    }

    /** How many entries were ever appended. */
    public synchronized long entries() {
        return entries;
    }

    synchronized long heldBytes() {
        return unreadBytes + gatheredBytes;
    }

    /** Whether nothing will come and nothing is left. */
    synchronized boolean isOver() {
        return endTaken && gatheredBytes == 0 && !handedOver;
    }
}

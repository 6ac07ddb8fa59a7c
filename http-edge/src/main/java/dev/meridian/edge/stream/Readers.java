package dev.meridian.edge.stream;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The journals that clients read, until they have read them: what a stream may need is reserved here, and clients that
 * read too slowly are found. A journal is here longer than its stream runs. Runs in the mux actor.
 */
final class Readers {
    private static final Logger LOG = LoggerFactory.getLogger(EdgeMux.class);

    private final StreamSettings settings;
    private final JournalBudget budget;
    private final Map<String, Reader> readers = new HashMap<>();

    private static final class Reader {
        final Journal journal;
        long takes;
        long stillSince;

        Reader(Journal journal, long now) {
            this.journal = journal;
            stillSince = now;
        }
    }

    Readers(StreamSettings settings, JournalBudget budget) {
        this.settings = settings;
        this.budget = budget;
    }

    /** Reserves what the request may need; a health check needs nothing. Why it may not start, or null. */
    @Nullable
    StreamFailure admit(StreamRequest request, Journal journal, long now) {
        long bytes = request.probe() ? 0 : request.worstJournalBytes();
        if (bytes > settings.maxStreamJournalBytes()) {
            return new StreamFailure.ReplyTooLarge(bytes, settings.maxStreamJournalBytes());
        }
        if (bytes > 0 && !budget.canReserve(bytes)) {
            return new StreamFailure.JournalFull(budget.limitBytes());
        }
        journal.reserve(bytes);
        readers.put(request.id(), new Reader(journal, now));
        return null;
    }

    /** Whether an entry of {@code bytes} may be added now. */
    boolean haveRoom(long bytes) {
        return budget.canHold(bytes);
    }

    /** The request whose client left most unread; none where nobody left anything. */
    Optional<String> slowest() {
        String slowest = null;
        long most = 0;
        for (Map.Entry<String, Reader> reader : readers.entrySet()) {
            long bytes = reader.getValue().journal.heldBytes();
            if (bytes > most) {
                most = bytes;
                slowest = reader.getKey();
            }
        }
        return Optional.ofNullable(slowest);
    }

    /** Frees a request's bytes because all together are too much; its client is told. */
    void overflow(String requestId) {
        Reader reader = readers.get(requestId);
        if (reader != null) {
            LOG.info(
                    "request {} ends: of all unread bytes, too many, it has most: {}",
                    requestId,
                    reader.journal.heldBytes());
            reader.journal.fail(new StreamFailure.JournalOverflow(budget.limitBytes()));
            reader.journal.flush();
        }
    }

    /** Cuts clients off that took nothing for too long; the requests that are over by that. */
    List<String> cutStalled(long now) {
        readers.values().removeIf(reader -> reader.journal.isOver());
        List<String> cut = new ArrayList<>();
        readers.forEach((id, reader) -> {
            long takes = reader.journal.takes();
            if (takes != reader.takes || !reader.journal.awaitsClient()) {
                reader.takes = takes;
                reader.stillSince = now;
            } else if (now - reader.stillSince >= settings.readerStall().toNanos()) {
                LOG.info(
                        "request {} is cut off: its client takes nothing, {} bytes wait",
                        id,
                        reader.journal.heldBytes());
                reader.journal.cut(new StreamFailure.ReaderTooSlow(settings.readerStall()));
                cut.add(id);
            }
        });
        cut.forEach(readers::remove);
        return cut;
    }

    /** Nobody reads this request any more. */
    void left(String requestId) {
        Reader reader = readers.remove(requestId);
        if (reader != null) {
            reader.journal.discard();
        }
    }
}

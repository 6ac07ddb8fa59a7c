package dev.meridian.edge.openai;

import dev.meridian.edge.stream.JournalRead;
import dev.meridian.edge.stream.ReplyTimings;
import dev.meridian.edge.stream.StreamEnd;
import dev.meridian.protocol.Entry;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Turns what a journal holds into server-sent events: one event per token that has something to show, all of one read
 * in one piece so that a step is one flush. Owned by one stream. Format: WHATWG HTML, "server-sent events", with
 * OpenAI's chunks as data and {@code [DONE]} behind a stream that ended well.
 */
public final class SseWriter {
    private final Dialect dialect;
    private final ReplyHead head;
    private final boolean logprobs;
    private final boolean includeUsage;
    private final int promptTokens;
    private final byte[][] choiceHeads;
    private final int[] textOffsets;
    private final JsonBuffer out = new JsonBuffer();
    private final @Nullable EventIds ids;
    private int completionTokens;
    private long event;
    private int eventBegan;

    /**
     * Events carry ids, which count from 0; the same entries get the same ones.
     *
     * @param after events up to this one are not written: their client has them; -1 for none
     */
    public record EventIds(long after) {}

    /**
     * A writer.
     *
     * @param ids null where events carry none
     */
    public SseWriter(Dialect dialect, ReplyHead head, ParsedRequest request, int promptTokens, @Nullable EventIds ids) {
        this.dialect = dialect;
        this.head = head;
        logprobs = request.wantsLogprobs();
        includeUsage = request.includeUsage();
        this.promptTokens = promptTokens;
        this.ids = ids;
        choiceHeads = new byte[request.generation().choices()][];
        textOffsets = new int[choiceHeads.length];
    }

    /** The events for {@code read}; empty when there is nothing to show yet. */
    public byte[] write(JournalRead read) {
        // The end comes with the last entry, so that its chunk can carry the times.
        ReplyTimings timings = !includeUsage && read.end() instanceof StreamEnd.Finished end ? end.timings() : null;
        List<Entry> entries = read.entries();
        for (int i = 0; i < entries.size(); i++) {
            write(entries.get(i), i == entries.size() - 1 ? timings : null);
        }
        switch (read.end()) {
            case null -> {}
            case StreamEnd.Finished end -> finish(end);
            case StreamEnd.Failed failed -> {
                begin();
                out.raw("data: ").raw(ErrorTable.of(failed.reason()).toJson());
                end();
            }
            case StreamEnd.Abandoned _ -> {}
        }
        return out.drain();
    }

    private void write(Entry entry, @Nullable ReplyTimings timings) {
        completionTokens++;
        int choice = entry.choice();
        if (choiceHeads[choice] == null) {
            choiceHeads[choice] = choiceHead(choice);
            if (dialect == Dialect.CHAT) {
                begin();
                out.raw(choiceHeads[choice]).raw("\"delta\":{\"role\":\"assistant\",\"content\":\"\"}");
                out.raw(",\"logprobs\":null,\"finish_reason\":null}]");
                endChunk(null);
            }
        }
        switch (dialect) {
            case CHAT -> chatEvents(entry, timings);
            case TEXT -> textEvent(entry, timings);
        }
        if (logprobs) {
            textOffsets[choice] += Dialect.codePoints(Dialect.chosen(entry).text());
        }
    }

    private void chatEvents(Entry entry, @Nullable ReplyTimings timings) {
        byte[] choiceHead = choiceHeads[entry.choice()];
        if (logprobs || !entry.text().isEmpty()) {
            begin();
            out.raw(choiceHead)
                    .raw("\"delta\":{\"content\":")
                    .quoted(entry.text())
                    .raw("}");
            logprobs(entry);
            out.raw(",\"finish_reason\":null}]");
            endChunk(null);
        }
        if (entry.finish() != null) {
            begin();
            out.raw(choiceHead).raw("\"delta\":{},\"logprobs\":null,\"finish_reason\":");
            out.raw(FinishReasons.quoted(entry.finish())).raw("}]");
            endChunk(timings);
        }
    }

    private void textEvent(Entry entry, @Nullable ReplyTimings timings) {
        if (logprobs || !entry.text().isEmpty() || entry.finish() != null) {
            begin();
            out.raw(choiceHeads[entry.choice()]).raw("\"text\":").quoted(entry.text());
            logprobs(entry);
            out.raw(",\"finish_reason\":")
                    .raw(FinishReasons.quoted(entry.finish()))
                    .raw("}]");
            endChunk(timings);
        }
    }

    private void logprobs(Entry entry) {
        out.raw(",\"logprobs\":");
        if (logprobs) {
            dialect.logprobs(out, List.of(entry), textOffsets[entry.choice()]);
        } else {
            out.raw("null");
        }
    }

    private byte[] choiceHead(int choice) {
        JsonBuffer bytes = new JsonBuffer();
        bytes.raw("data: ");
        head.writeTo(bytes, dialect.chunkObject());
        return bytes.raw("\"choices\":[{\"index\":").number(choice).raw(",").drain();
    }

    private void endChunk(@Nullable ReplyTimings timings) {
        if (includeUsage) {
            out.raw(",\"usage\":null");
        }
        if (timings != null) {
            timings(timings);
        }
        out.raw("}");
        end();
    }

    private void begin() {
        if (ids != null) {
            eventBegan = out.size();
            out.raw("id: ").number(event).raw("\n");
        }
    }

    private void end() {
        out.raw("\n\n");
        if (ids != null && event++ <= ids.after()) {
            out.truncate(eventBegan);
        }
    }

    private void timings(ReplyTimings timings) {
        out.raw(",\"timings\":");
        TimingsFormat.json(out, timings);
    }

    private void finish(StreamEnd.Finished end) {
        if (includeUsage) {
            begin();
            out.raw("data: ");
            head.writeTo(out, dialect.chunkObject());
            out.raw("\"choices\":[],\"usage\":");
            Usage.write(out, promptTokens, end.cachedTokens(), completionTokens);
            timings(end.timings());
            out.raw("}");
            end();
        }
        begin();
        out.raw("data: [DONE]");
        end();
    }
}

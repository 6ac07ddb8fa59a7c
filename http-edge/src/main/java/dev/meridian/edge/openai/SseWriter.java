package dev.meridian.edge.openai;

import dev.meridian.edge.stream.JournalRead;
import dev.meridian.edge.stream.StreamEnd;
import dev.meridian.protocol.Entry;
import java.util.List;

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
    private int completionTokens;

    public SseWriter(Dialect dialect, ReplyHead head, ParsedRequest request, int promptTokens) {
        this.dialect = dialect;
        this.head = head;
        logprobs = request.wantsLogprobs();
        includeUsage = request.includeUsage();
        this.promptTokens = promptTokens;
        choiceHeads = new byte[request.generation().choices()][];
        textOffsets = new int[choiceHeads.length];
    }

    /** The events for {@code read}; empty when there is nothing to show yet. */
    public byte[] write(JournalRead read) {
        for (Entry entry : read.entries()) {
            write(entry);
        }
        switch (read.end()) {
            case null -> {}
            case StreamEnd.Finished _ -> finish();
            case StreamEnd.Failed failed ->
                out.raw("data: ").raw(ErrorTable.of(failed.reason()).toJson()).raw("\n\n");
            case StreamEnd.Abandoned _ -> {}
        }
        return out.drain();
    }

    private void write(Entry entry) {
        completionTokens++;
        int choice = entry.choice();
        if (choiceHeads[choice] == null) {
            choiceHeads[choice] = choiceHead(choice);
            if (dialect == Dialect.CHAT) {
                out.raw(choiceHeads[choice]).raw("\"delta\":{\"role\":\"assistant\",\"content\":\"\"}");
                out.raw(",\"logprobs\":null,\"finish_reason\":null}]");
                endChunk();
            }
        }
        switch (dialect) {
            case CHAT -> chatEvents(entry);
            case TEXT -> textEvent(entry);
        }
        if (logprobs) {
            textOffsets[choice] += Dialect.codePoints(Dialect.chosen(entry).text());
        }
    }

    private void chatEvents(Entry entry) {
        byte[] choiceHead = choiceHeads[entry.choice()];
        if (logprobs || !entry.text().isEmpty()) {
            out.raw(choiceHead)
                    .raw("\"delta\":{\"content\":")
                    .quoted(entry.text())
                    .raw("}");
            logprobs(entry);
            out.raw(",\"finish_reason\":null}]");
            endChunk();
        }
        if (entry.finish() != null) {
            out.raw(choiceHead).raw("\"delta\":{},\"logprobs\":null,\"finish_reason\":");
            out.raw(FinishReasons.quoted(entry.finish())).raw("}]");
            endChunk();
        }
    }

    private void textEvent(Entry entry) {
        if (logprobs || !entry.text().isEmpty() || entry.finish() != null) {
            out.raw(choiceHeads[entry.choice()]).raw("\"text\":").quoted(entry.text());
            logprobs(entry);
            out.raw(",\"finish_reason\":")
                    .raw(FinishReasons.quoted(entry.finish()))
                    .raw("}]");
            endChunk();
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

    private void endChunk() {
        out.raw(includeUsage ? ",\"usage\":null}\n\n" : "}\n\n");
    }

    private void finish() {
        if (includeUsage) {
            out.raw("data: ");
            head.writeTo(out, dialect.chunkObject());
            out.raw("\"choices\":[],\"usage\":");
            Usage.write(out, promptTokens, completionTokens);
            out.raw("}\n\n");
        }
        out.raw("data: [DONE]\n\n");
    }
}

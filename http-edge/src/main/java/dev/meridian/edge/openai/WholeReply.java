package dev.meridian.edge.openai;

import dev.meridian.edge.stream.JournalRead;
import dev.meridian.edge.stream.StreamEnd;
import dev.meridian.edge.stream.StreamFailure;
import dev.meridian.protocol.Entry;
import dev.meridian.protocol.FinishReason;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Gathers a journal into one reply that is not streamed. Owned by one request. */
public final class WholeReply {
    private final Dialect dialect;
    private final ReplyHead head;
    private final boolean logprobs;
    private final int promptTokens;
    private final List<Choice> choices = new ArrayList<>();
    private int completionTokens;
    private @Nullable StreamEnd end;

    private static final class Choice {
        final StringBuilder text = new StringBuilder();
        final List<Entry> entries = new ArrayList<>();

        @Nullable
        FinishReason finish;
    }

    public WholeReply(Dialect dialect, ReplyHead head, ParsedRequest request, int promptTokens) {
        this.dialect = dialect;
        this.head = head;
        this.promptTokens = promptTokens;
        logprobs = request.wantsLogprobs();
        for (int i = 0; i < request.generation().choices(); i++) {
            choices.add(new Choice());
        }
    }

    public WholeReply add(JournalRead read) {
        for (Entry entry : read.entries()) {
            Choice choice = choices.get(entry.choice());
            choice.text.append(entry.text());
            choice.finish = entry.finish();
            if (logprobs) {
                choice.entries.add(entry);
            }
            completionTokens++;
        }
        end = read.end();
        return this;
    }

    /** Why there is no reply, or null when it is whole. */
    public @Nullable ApiError failure() {
        return switch (end) {
            case StreamEnd.Finished _ -> null;
            case StreamEnd.Failed failed -> ErrorTable.of(failed.reason());
            case StreamEnd.Abandoned _ -> ErrorTable.of(new StreamFailure.ClientLeft());
            case null -> throw new IllegalStateException("the journal has not ended");
        };
    }

    /** The value of the header {@code Server-Timing}. */
    public String serverTiming() {
        return TimingsFormat.header(finished().timings());
    }

    private StreamEnd.Finished finished() {
        if (end instanceof StreamEnd.Finished finished) {
            return finished;
        }
        throw new IllegalStateException("a reply that is not whole: " + end);
    }

    public byte[] toJson() {
        JsonBuffer json = new JsonBuffer();
        head.writeTo(json, dialect.wholeObject());
        json.raw("\"choices\":[");
        for (int i = 0; i < choices.size(); i++) {
            json.raw(i == 0 ? "" : ",");
            write(json, i, choices.get(i));
        }
        json.raw("],\"usage\":");
        Usage.write(json, promptTokens, finished().cachedTokens(), completionTokens);
        return json.raw("}").drain();
    }

    private void write(JsonBuffer json, int index, Choice choice) {
        json.raw("{\"index\":").number(index);
        switch (dialect) {
            case CHAT -> {
                json.raw(",\"message\":{\"role\":\"assistant\",\"content\":").quoted(choice.text.toString());
                json.raw(",\"refusal\":null}");
            }
            case TEXT -> json.raw(",\"text\":").quoted(choice.text.toString());
        }
        json.raw(",\"logprobs\":");
        if (logprobs) {
            dialect.logprobs(json, choice.entries, 0);
        } else {
            json.raw("null");
        }
        json.raw(",\"finish_reason\":").raw(FinishReasons.quoted(choice.finish)).raw("}");
    }
}

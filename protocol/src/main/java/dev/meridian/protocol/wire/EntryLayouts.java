package dev.meridian.protocol.wire;

import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.Entry;
import dev.meridian.protocol.Generation;
import dev.meridian.protocol.Timings;
import dev.meridian.protocol.TokenLogprob;

/** What a stream is made of. */
final class EntryLayouts {
    static final Layout<TokenLogprob> TOKEN_LOGPROB = Layout.of(
            TokenLogprob.class,
            (out, token) -> {
                out.writeNumber(token.tokenId());
                out.writeText("token text", Caps.TOKEN_TEXT, token.text());
                out.writeText("token bytes", Caps.TOKEN_TEXT, token.bytes());
                out.writeFloat(token.logprob());
            },
            in -> new TokenLogprob(
                    in.readNumber(),
                    in.readText("token text", Caps.TOKEN_TEXT),
                    in.readText("token bytes", Caps.TOKEN_TEXT),
                    in.readFloat()));

    static final Layout<Timings> TIMINGS = Layout.of(
            Timings.class,
            (out, timings) -> {
                out.writeNumber(timings.queueMicros());
                out.writeNumber(timings.prefillMicros());
                out.writeNumber(timings.decodeMicros());
                out.writeNumber(timings.cachedTokens());
            },
            in -> new Timings(in.readLongNumber(), in.readLongNumber(), in.readLongNumber(), in.readNumber()));

    static final Layout<Entry> ENTRY = Layout.of(
            Entry.class,
            (out, entry) -> {
                out.writeRecord(entry.attempt());
                out.writeNumber(entry.choice());
                out.writeNumber(entry.index());
                out.writeNumber(entry.tokenId());
                out.writeText("entry text", Caps.ENTRY_TEXT, entry.text());
                out.writeNullable(entry.logprob(), out::writeRecord);
                out.writeList("alternatives", Generation.MAX_TOP_LOGPROBS, entry.alternatives(), out::writeRecord);
                out.writeNullable(entry.finish(), finish -> Codes.FINISH_REASONS.write(out, finish));
                out.writeNullable(entry.timings(), out::writeRecord);
            },
            in -> new Entry(
                    in.readRecord(Attempt.class),
                    in.readNumber(),
                    in.readNumber(),
                    in.readNumber(),
                    in.readText("entry text", Caps.ENTRY_TEXT),
                    in.readNullable("logprob", () -> in.readRecord(TokenLogprob.class)),
                    in.readList("alternatives", Generation.MAX_TOP_LOGPROBS, () -> in.readRecord(TokenLogprob.class)),
                    in.readNullable("finish", () -> Codes.FINISH_REASONS.read(in)),
                    in.readNullable("timings", () -> in.readRecord(Timings.class))));

    private EntryLayouts() {}
}

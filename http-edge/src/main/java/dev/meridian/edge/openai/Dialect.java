package dev.meridian.edge.openai;

import dev.meridian.protocol.Entry;
import dev.meridian.protocol.TokenLogprob;
import java.util.List;

/** The two shapes of a completion: where they differ in names, and how they show log-probabilities. */
public enum Dialect {
    /** {@code /v1/chat/completions}. */
    CHAT("chatcmpl-", "chat.completion.chunk", "chat.completion") {
        @Override
        void logprobs(JsonBuffer json, List<Entry> entries, int textOffset) {
            json.raw("{\"content\":[");
            for (int i = 0; i < entries.size(); i++) {
                Entry entry = entries.get(i);
                TokenLogprob chosen = chosen(entry);
                json.raw(i == 0 ? "{" : ",{");
                token(json, chosen);
                json.raw(",\"top_logprobs\":[");
                String separator = "{";
                for (TokenLogprob alternative : entry.alternatives()) {
                    json.raw(separator);
                    token(json, alternative);
                    json.raw("}");
                    separator = ",{";
                }
                json.raw("]}");
            }
            json.raw("],\"refusal\":null}");
        }
    },
    /** {@code /v1/completions}. */
    TEXT("cmpl-", "text_completion", "text_completion") {
        @Override
        void logprobs(JsonBuffer json, List<Entry> entries, int textOffset) {
            json.raw("{\"tokens\":[");
            for (int i = 0; i < entries.size(); i++) {
                json.raw(i == 0 ? "" : ",").quoted(chosen(entries.get(i)).text());
            }
            json.raw("],\"token_logprobs\":[");
            for (int i = 0; i < entries.size(); i++) {
                json.raw(i == 0 ? "" : ",").logprob(chosen(entries.get(i)).logprob());
            }
            json.raw("],\"top_logprobs\":[");
            for (int i = 0; i < entries.size(); i++) {
                json.raw(i == 0 ? "{" : ",{");
                best(json, entries.get(i));
                json.raw("}");
            }
            json.raw("],\"text_offset\":[");
            int offset = textOffset;
            for (int i = 0; i < entries.size(); i++) {
                json.raw(i == 0 ? "" : ",").number(offset);
                offset += codePoints(chosen(entries.get(i)).text());
            }
            json.raw("]}");
        }
    };

    private final String idPrefix;
    private final String chunkObject;
    private final String wholeObject;

    Dialect(String idPrefix, String chunkObject, String wholeObject) {
        this.idPrefix = idPrefix;
        this.chunkObject = chunkObject;
        this.wholeObject = wholeObject;
    }

    /** What a reply's id starts with. */
    public String idPrefix() {
        return idPrefix;
    }

    String chunkObject() {
        return chunkObject;
    }

    String wholeObject() {
        return wholeObject;
    }

    /**
     * Writes the {@code logprobs} object of some entries of one choice, all of which carry log-probabilities.
     *
     * @param textOffset Unicode characters of the choice before these entries
     */
    abstract void logprobs(JsonBuffer json, List<Entry> entries, int textOffset);

    static int codePoints(String text) {
        return text.codePointCount(0, text.length());
    }

    static TokenLogprob chosen(Entry entry) {
        TokenLogprob chosen = entry.logprob();
        if (chosen == null) {
            throw new IllegalStateException("an entry without the log-probability that was asked for");
        }
        return chosen;
    }

    private static void token(JsonBuffer json, TokenLogprob token) {
        json.raw("\"token\":").quoted(token.text());
        json.raw(",\"logprob\":").logprob(token.logprob());
        json.raw(",\"bytes\":").byteArray(token.bytes());
    }

    /** The alternatives as an object; the chosen token is always among them, and a text that repeats counts once. */
    private static void best(JsonBuffer json, Entry entry) {
        TokenLogprob chosen = chosen(entry);
        json.quoted(chosen.text()).raw(":").logprob(chosen.logprob());
        List<TokenLogprob> alternatives = entry.alternatives();
        for (int i = 0; i < alternatives.size(); i++) {
            TokenLogprob alternative = alternatives.get(i);
            boolean seen = alternative.text().equals(chosen.text());
            for (int j = 0; j < i && !seen; j++) {
                seen = alternatives.get(j).text().equals(alternative.text());
            }
            if (!seen) {
                json.raw(",").quoted(alternative.text()).raw(":").logprob(alternative.logprob());
            }
        }
    }
}

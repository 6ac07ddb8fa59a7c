package dev.meridian.engine.text;

import com.fasterxml.jackson.databind.JsonNode;
import dev.meridian.engine.Vocabulary;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What every token id stands for. Immutable, safe for any thread. */
public final class TokenTable implements Vocabulary {
    private static final int MAX_SIZE = 4_000_000;
    private static final byte[] NO_BYTES = {};

    private final byte[][] bytes;
    private final Map<Integer, byte[]> firstBytes;
    private final Map<String, Integer> ids;
    private final BitSet special;
    private final TokenDecoder decoder;

    private TokenTable(
            byte[][] bytes,
            Map<Integer, byte[]> firstBytes,
            Map<String, Integer> ids,
            BitSet special,
            TokenDecoder decoder) {
        this.bytes = bytes;
        this.firstBytes = firstBytes;
        this.ids = ids;
        this.special = special;
        this.decoder = decoder;
    }

    static TokenTable of(JsonNode tokenizer, List<AddedToken> added) {
        Map<String, Integer> ids = vocabulary(tokenizer.path("model").path("vocab"));
        Map<Integer, String> addedById = new HashMap<>();
        BitSet special = new BitSet();
        for (AddedToken token : added) {
            ids.put(token.content(), token.id());
            addedById.put(token.id(), token.content());
            special.set(token.id(), token.special());
        }
        int greatest = ids.values().stream().mapToInt(Integer::intValue).max().orElse(-1);
        if (greatest < 0 || greatest >= MAX_SIZE) {
            throw new TokenizerException("tokenizer.json: " + (greatest < 0 ? "no token" : "an id of " + greatest));
        }
        int size = greatest + 1;
        TokenDecoder decoder = TokenDecoder.read(tokenizer.path("decoder"));
        byte[][] bytes = new byte[size][];
        Map<Integer, byte[]> firstBytes = new HashMap<>();
        ids.forEach((token, id) -> {
            String content = addedById.getOrDefault(id, token);
            bytes[id] = decoder.bytes(content, false);
            if (!decoder.firstDrops().isEmpty() && content.contains(decoder.firstDrops())) {
                firstBytes.put(id, decoder.bytes(content, true));
            }
        });
        for (int id = 0; id < size; id++) {
            bytes[id] = bytes[id] == null ? NO_BYTES : bytes[id];
        }
        return new TokenTable(bytes, firstBytes, ids, special, decoder);
    }

    private static Map<String, Integer> vocabulary(JsonNode vocab) {
        Map<String, Integer> ids = new HashMap<>();
        if (vocab.isObject()) {
            vocab.properties().forEach(entry -> ids.put(entry.getKey(), validId(entry.getValue())));
        } else if (vocab.isArray()) {
            for (int id = 0; id < vocab.size(); id++) {
                ids.put(vocab.get(id).path(0).asText(), id);
            }
        } else {
            throw new TokenizerException("tokenizer.json: no vocabulary");
        }
        return ids;
    }

    private static int validId(JsonNode id) {
        if (!id.isInt() || id.asInt() < 0) {
            throw new TokenizerException("tokenizer.json: an id that is not a natural number");
        }
        return id.asInt();
    }

    /** One more than the greatest id; a model's vocabulary may be padded beyond it. */
    @Override
    public int size() {
        return bytes.length;
    }

    /**
     * The bytes that a token adds to a text, an incomplete character for some; the caller must not change them. A special
     * token's are its name, although decoding leaves it out. None for an id that no token has.
     */
    @Override
    public byte[] bytes(int id) {
        return knows(id) ? bytes[id] : NO_BYTES;
    }

    @Override
    public Detokenizer newStream() {
        return new Detokenizer(this);
    }

    /** Whether decoding leaves the token out. */
    public boolean isSpecial(int id) {
        return knows(id) && special.get(id);
    }

    /** The id of a token as the vocabulary writes it, {@code Ġthe} or {@code <|im_end|>}. */
    public Optional<Integer> id(String token) {
        return Optional.ofNullable(ids.get(token));
    }

    boolean knows(int id) {
        return id >= 0 && id < bytes.length;
    }

    /** As {@link #bytes}, at the start of a text. */
    byte[] firstBytes(int id) {
        return firstBytes.getOrDefault(id, bytes(id));
    }

    TokenDecoder decoder() {
        return decoder;
    }
}

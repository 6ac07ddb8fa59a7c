package dev.meridian.node;

import dev.meridian.bench.http.Script;
import dev.meridian.engine.Vocabulary;
import java.nio.charset.StandardCharsets;

/** Texts that carry their place in the stream and the time at which the engine's thread made them. */
final class StampedVocabulary implements Vocabulary {
    @Override
    public int size() {
        return Script.VOCABULARY;
    }

    @Override
    public byte[] bytes(int tokenId) {
        return Integer.toString(tokenId).getBytes(StandardCharsets.US_ASCII);
    }

    @Override
    public TextStream newStream() {
        return new TextStream() {
            private int index;

            @Override
            public String append(int tokenId) {
                return Script.text(tokenId, index++, System.nanoTime());
            }

            @Override
            public String flush() {
                return "";
            }
        };
    }
}

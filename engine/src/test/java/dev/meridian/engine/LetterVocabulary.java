package dev.meridian.engine;

import java.nio.charset.StandardCharsets;

/** Token i is the character i: texts of tests are readable, and a prompt is its own characters. */
public final class LetterVocabulary implements Vocabulary {
    public static final int SIZE = 128;
    /** The end of a sequence. */
    public static final int END = 0;

    public static int[] ids(String text) {
        return text.chars().toArray();
    }

    @Override
    public int size() {
        return SIZE;
    }

    @Override
    public byte[] bytes(int tokenId) {
        return Character.toString(tokenId).getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public TextStream newStream() {
        return new TextStream() {
            @Override
            public String append(int tokenId) {
                return Character.toString(tokenId);
            }

            @Override
            public String flush() {
                return "";
            }
        };
    }
}

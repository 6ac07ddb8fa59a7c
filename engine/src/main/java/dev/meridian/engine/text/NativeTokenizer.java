package dev.meridian.engine.text;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Map;

/**
 * The Hugging Face tokenizers library by way of DJL, without its truncation at 512 tokens and without padding. Its native
 * part is unpacked once from the jar into {@code ~/.djl.ai/tokenizers}, or where {@code DJL_CACHE_DIR} says. Any number
 * of threads may encode and decode at once; none after {@link #close}.
 */
final class NativeTokenizer implements AutoCloseable {
    static {
        // Without these DJL may look for a CUDA build of its library on the network, and reports that it was started.
        setUnlessSet("ai.djl.offline");
        setUnlessSet("OPT_OUT_TRACKING");
    }

    private final HuggingFaceTokenizer tokenizer;

    private NativeTokenizer(HuggingFaceTokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    private static void setUnlessSet(String property) {
        if (System.getProperty(property) == null) {
            System.setProperty(property, "true");
        }
    }

    /** Makes a tokenizer from the bytes of a {@code tokenizer.json}. */
    static NativeTokenizer of(byte[] json) {
        Map<String, String> options =
                Map.of("truncation", "do_not_truncate", "padding", "do_not_pad", "addSpecialTokens", "false");
        try {
            return new NativeTokenizer(HuggingFaceTokenizer.newInstance(new ByteArrayInputStream(json), options));
        } catch (IOException | RuntimeException e) {
            throw new TokenizerException("tokenizer.json: the tokenizers library refused it: " + e.getMessage(), e);
        }
    }

    /** Throws {@link TokenizerException} where the vocabulary has no word for a part of the text. */
    Encoding encode(String text, boolean withSpecialTokens) {
        try {
            return tokenizer.encode(wellFormed(text), withSpecialTokens, false);
        } catch (RuntimeException e) {
            throw new TokenizerException("the tokenizers library cannot encode this: " + e.getMessage(), e);
        }
    }

    int[] ids(String text, boolean withSpecialTokens) {
        return ids(encode(text, withSpecialTokens));
    }

    static int[] ids(Encoding encoding) {
        long[] wide = encoding.getIds();
        int[] ids = new int[wide.length];
        for (int i = 0; i < wide.length; i++) {
            ids[i] = Math.toIntExact(wide[i]);
        }
        return ids;
    }

    /** The library's own decoding of all ids at once, without special tokens. */
    String decode(int[] ids) {
        long[] wide = new long[ids.length];
        for (int i = 0; i < ids.length; i++) {
            wide[i] = ids[i];
        }
        return tokenizer.decode(wide, true);
    }

    /** Half a surrogate pair is no character; the library would make three replacement characters of it. */
    static String wellFormed(String text) {
        StringBuilder fixed = null;
        for (int at = 0; at < text.length(); at++) {
            int c = text.codePointAt(at);
            if (c > 0xffff) {
                at++;
            } else if (Character.isSurrogate((char) c)) {
                fixed = fixed == null ? new StringBuilder(text) : fixed;
                fixed.setCharAt(at, '\ufffd');
            }
        }
        return fixed == null ? text : fixed.toString();
    }

    @Override
    public void close() {
        tokenizer.close();
    }
}

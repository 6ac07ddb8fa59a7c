package dev.meridian.engine.text;

import dev.meridian.engine.Vocabulary;

/**
 * Token ids to text, one at a time, for one sequence. The text depends on the tokens alone, so that another node can
 * replay them and go on. Only whole characters come out. Joined, the pieces are what decoding all ids at once gives;
 * malformed UTF-8 too for byte-level vocabularies, while a byte-fallback decoder, which replaces a whole run of bytes
 * for one bad byte in it, is matched where runs are well-formed. Not safe for several threads.
 */
public final class Detokenizer implements Vocabulary.TextStream {
    private final TokenTable table;
    private final TokenDecoder decoder;
    private final Utf8Assembler assembler;
    private final StringBuilder out = new StringBuilder();
    private boolean first = true;
    private int toStrip;

    public Detokenizer(TokenTable table) {
        this.table = table;
        this.decoder = table.decoder();
        this.assembler = new Utf8Assembler(decoder.byteFallback());
        this.toStrip = decoder.stripped();
    }

    /**
     * Takes the next token and returns the text that is ready, often none. Special tokens give no text, and neither does
     * an id that no token has.
     */
    @Override
    public String append(int tokenId) {
        if (table.isSpecial(tokenId) || !table.knows(tokenId)) {
            return "";
        }
        if (!first && !decoder.separator().isEmpty()) {
            assembler.flush(out);
            out.append(decoder.separator());
        }
        assembler.append(first ? table.firstBytes(tokenId) : table.bytes(tokenId), out);
        first = false;
        return ready();
    }

    /** Ends the sequence and returns the rest: U+FFFD for a character that is not whole. */
    @Override
    public String flush() {
        assembler.flush(out);
        return ready();
    }

    private String ready() {
        int from = 0;
        String strip = decoder.strip();
        while (toStrip > 0 && from < out.length()) {
            if (!strip.isEmpty() && out.indexOf(strip, from) == from) {
                from += strip.length();
                toStrip--;
            } else {
                toStrip = 0;
            }
        }
        String ready = out.substring(from);
        out.setLength(0);
        return ready;
    }
}

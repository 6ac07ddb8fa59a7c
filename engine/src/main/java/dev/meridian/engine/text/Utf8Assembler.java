package dev.meridian.engine.text;

/**
 * Bytes to whole characters. Malformed input becomes U+FFFD, one for each longest prefix of a character (the Unicode
 * Standard, section 3.9, "Substitution of Maximal Subparts"; what Rust's {@code from_utf8_lossy} does), or one for each
 * byte. One thread.
 */
final class Utf8Assembler {
    private static final char REPLACEMENT = '\ufffd';

    private final boolean replaceEachByte;
    private int pendingBytes;
    private int needed;
    private int codePoint;
    private int low = 0x80;
    private int high = 0xbf;

    Utf8Assembler(boolean replaceEachByte) {
        this.replaceEachByte = replaceEachByte;
    }

    void append(byte[] bytes, StringBuilder out) {
        for (byte b : bytes) {
            append(b & 0xff, out);
        }
    }

    private void append(int b, StringBuilder out) {
        if (needed > 0) {
            if (b >= low && b <= high) {
                continueCharacter(b, out);
                return;
            }
            flush(out);
        }
        startCharacter(b, out);
    }

    private void continueCharacter(int b, StringBuilder out) {
        codePoint = codePoint << 6 | (b & 0x3f);
        low = 0x80;
        high = 0xbf;
        pendingBytes++;
        if (--needed == 0) {
            out.appendCodePoint(codePoint);
            pendingBytes = 0;
        }
    }

    private void startCharacter(int b, StringBuilder out) {
        if (b < 0x80) {
            out.append((char) b);
        } else if (b < 0xc2 || b > 0xf4) {
            out.append(REPLACEMENT);
        } else {
            needed = b < 0xe0 ? 1 : b < 0xf0 ? 2 : 3;
            codePoint = b & (0x3f >> needed);
            pendingBytes = 1;
            // No overlong forms, no surrogates, nothing above U+10FFFF.
            low = b == 0xe0 ? 0xa0 : b == 0xf0 ? 0x90 : 0x80;
            high = b == 0xed ? 0x9f : b == 0xf4 ? 0x8f : 0xbf;
        }
    }

    /** Ends the text: a character that is not whole becomes U+FFFD. */
    void flush(StringBuilder out) {
        if (needed > 0) {
            out.repeat(REPLACEMENT, replaceEachByte ? pendingBytes : 1);
            needed = 0;
            pendingBytes = 0;
            low = 0x80;
            high = 0xbf;
        }
    }
}

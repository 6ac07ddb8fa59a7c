package dev.meridian.engine.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class DetokenizerTest {
    private static final int CASES = 400;

    static List<String> present() {
        return TestTokenizers.present();
    }

    private static List<String> pieces(TokenTable table, int[] ids) {
        Detokenizer detokenizer = new Detokenizer(table);
        List<String> pieces = new ArrayList<>();
        for (int id : ids) {
            pieces.add(detokenizer.append(id));
        }
        pieces.add(detokenizer.flush());
        return pieces;
    }

    @ParameterizedTest
    @MethodSource("present")
    void piecesJoinedAreTheWholeDecoding(String name) {
        Tokenizer tokenizer = TestTokenizers.load(name).tokenizer();
        for (long seed = 0; seed < CASES; seed++) {
            String text = TestTokenizers.text(new Random(seed), 12);
            int[] ids = seed % 2 == 0 ? tokenizer.encodePlain(text) : tokenizer.encodeText(text);
            assertThat(String.join("", pieces(tokenizer.table(), ids)))
                    .as("seed %d: %s", seed, text)
                    .isEqualTo(tokenizer.decode(ids));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"byte-level", "unigram"})
    void anyTokensInAnyOrderGiveTheWholeDecoding(String name) {
        Tokenizer tokenizer = TestTokenizers.load(name).tokenizer();
        for (long seed = 0; seed < 4 * CASES; seed++) {
            Random random = new Random(seed);
            int[] ids =
                    random.ints(random.nextInt(12), 0, tokenizer.table().size()).toArray();
            assertThat(String.join("", pieces(tokenizer.table(), ids)))
                    .as("seed %d", seed)
                    .isEqualTo(tokenizer.decode(ids));
        }
    }

    @Test
    void malformedBytesGiveTheWholeDecoding() {
        Tokenizer tokenizer = TestTokenizers.load("byte-level").tokenizer();
        int[] byteIds = new int[256];
        for (int id = 0; id < 256; id++) {
            byteIds[tokenizer.table().bytes(id)[0] & 0xff] = id;
        }
        int[] interesting = {
            0x41, 0x80, 0xbf, 0xc1, 0xc3, 0xa9, 0xe0, 0xa0, 0x9f, 0xed, 0xef, 0xf0, 0x90, 0x8f, 0xf4, 0xf5, 0xff
        };
        for (long seed = 0; seed < 10 * CASES; seed++) {
            int[] ids = new Random(seed)
                    .ints(8, 0, interesting.length)
                    .map(i -> byteIds[interesting[i]])
                    .toArray();
            assertThat(String.join("", pieces(tokenizer.table(), ids)))
                    .as("seed %d", seed)
                    .isEqualTo(tokenizer.decode(ids));
        }
    }

    @Test
    void malformedFallbackBytesAreReplacedOneByOne() {
        Tokenizer tokenizer = TestTokenizers.load("byte-fallback").tokenizer();
        TokenTable table = tokenizer.table();
        int[] ids = {id(table, "a"), id(table, "<0xF0>"), id(table, "<0x9F>"), id(table, "b"), id(table, "<0xE6>")};
        assertThat(pieces(table, ids)).containsExactly("a", "", "", "\ufffd\ufffdb", "", "\ufffd");
        assertThat(tokenizer.decode(ids)).isEqualTo("a\ufffd\ufffdb\ufffd");
    }

    private static int id(TokenTable table, String token) {
        return table.id(token).orElseThrow();
    }

    @ParameterizedTest
    @MethodSource("present")
    void noCharacterIsEverSplit(String name) {
        Tokenizer tokenizer = TestTokenizers.load(name).tokenizer();
        for (long seed = 0; seed < CASES; seed++) {
            int[] ids = tokenizer.encodePlain(TestTokenizers.text(new Random(seed), 12));
            for (String piece : pieces(tokenizer.table(), ids)) {
                assertThat(StandardCharsets.UTF_8.newEncoder().canEncode(piece)).isTrue();
            }
        }
    }

    @Test
    void aCharacterOfSeveralTokensComesWithItsLastByte() {
        Tokenizer tokenizer = TestTokenizers.load("byte-fallback").tokenizer();
        List<String> pieces = pieces(tokenizer.table(), tokenizer.encodePlain("a🙂é"));
        assertThat(pieces).containsExactly("", "a", "", "", "", "🙂", "é", "");
    }

    @Test
    void theFirstBlankOfASentencepieceTextIsDropped() {
        for (String name : List.of("byte-fallback", "unigram")) {
            Tokenizer tokenizer = TestTokenizers.load(name).tokenizer();
            assertThat(String.join("", pieces(tokenizer.table(), tokenizer.encodePlain("the the"))))
                    .isEqualTo("the the");
        }
    }

    @Test
    void specialTokensAndUnknownIdsGiveNoText() {
        TokenTable table = TestTokenizers.load("byte-level").tokenizer().table();
        int[] ids = {id(table, "<|im_start|>"), id(table, "hello"), table.size() + 5, -1, id(table, "<|im_end|>")};
        assertThat(pieces(table, ids)).containsExactly("", "hello", "", "", "", "");
        assertThat(pieces(table, new int[] {id(table, "<think>")})).containsExactly("<think>", "");
    }

    @Test
    void theTableKnowsTheBytesOfEveryToken() {
        TokenTable levels = TestTokenizers.load("byte-level").tokenizer().table();
        assertThat(levels.bytes(id(levels, "\u0120the"))).isEqualTo(" the".getBytes(StandardCharsets.UTF_8));
        assertThat(levels.bytes(id(levels, "\u010a\u010a"))).isEqualTo("\n\n".getBytes(StandardCharsets.UTF_8));
        assertThat(levels.bytes(id(levels, "    "))).isEqualTo("    ".getBytes(StandardCharsets.UTF_8));
        assertThat(levels.isSpecial(id(levels, "<|im_end|>"))).isTrue();
        assertThat(levels.isSpecial(id(levels, "<think>"))).isFalse();
        assertThat(levels.id("no such token")).isEmpty();
        assertThat(levels.bytes(levels.size())).isEmpty();
        TokenTable fallback = TestTokenizers.load("byte-fallback").tokenizer().table();
        assertThat(fallback.bytes(id(fallback, "<0xE6>"))).containsExactly(0xe6);
        assertThat(fallback.bytes(id(fallback, "\u2581the"))).isEqualTo(" the".getBytes(StandardCharsets.UTF_8));
        assertThat(fallback.size()).isEqualTo(1 + id(fallback, "<|story|>"));
    }
}

package dev.meridian.engine.text;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.meridian.engine.template.Segment;
import java.io.IOException;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

final class PromptBoundTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int CASES = 600;
    /** What normal form C makes fewer bytes or characters of, white space that tokens take along, and what is plain. */
    private static final List<String> ODD = List.of(
            "e\u0301",
            "\u212b",
            "\u212a",
            "\u1fef",
            "\u1112\u1161\u11ab",
            "\u03b1\u0313\u0300\u0345",
            "\uf900",
            "\uac00\u11a8",
            "\u304b\u3099",
            "\u0344",
            "\u0958",
            "   ",
            "\t\n",
            "\u00a0\u2003",
            "\ud83d",
            "\u0915\u093c");

    static List<String> present() {
        return TestTokenizers.present();
    }

    private static String randomText(Random random, List<AddedToken> added) {
        StringBuilder text = new StringBuilder();
        for (int piece = random.nextInt(30); piece > 0; piece--) {
            String next = switch (random.nextInt(6)) {
                case 0 -> ODD.get(random.nextInt(ODD.size()));
                case 1 -> added.get(random.nextInt(added.size())).content();
                case 2 -> Character.toString(random.nextInt(0x20, random.nextBoolean() ? 0x3100 : 0x20000));
                default -> TestTokenizers.text(random, 3);
            };
            text.append(next.repeat(random.nextInt(8) == 0 ? random.nextInt(200) : 1));
        }
        return text.toString();
    }

    @ParameterizedTest
    @MethodSource("present")
    void noTextHasFewerTokens(String name) {
        TestTokenizers.Loaded loaded = TestTokenizers.load(name);
        Tokenizer tokenizer = loaded.tokenizer();
        for (long seed = 0; seed < CASES; seed++) {
            Random random = new Random(seed);
            String text = randomText(random, loaded.added());
            int cut = random.nextInt(text.length() + 1);
            List<Segment> cutInTwo =
                    List.of(new Segment(text.substring(0, cut), false), new Segment(text.substring(cut), true));
            assertThat(tokenizer.fewestTokens(List.of(new Segment(text, false))))
                    .as("seed %d: %s", seed, text)
                    .isLessThanOrEqualTo(loaded.plain().ids(text, false).length);
            assertThat(tokenizer.fewestTokens(cutInTwo))
                    .as("seed %d, cut at %d: %s", seed, cut, text)
                    .isLessThanOrEqualTo(tokenizer.encode(cutInTwo).length);
        }
    }

    /** The texts that hold most for their tokens are those of the longest tokens. */
    @ParameterizedTest
    @MethodSource("present")
    void theLongestTokensOfAVocabularyPassTheirOwnBound(String name) {
        TestTokenizers.Loaded loaded = TestTokenizers.load(name);
        Tokenizer tokenizer = loaded.tokenizer();
        List<Integer> ids = new ArrayList<>();
        for (int id = 0; id < tokenizer.table().size(); id++) {
            ids.add(id);
        }
        ids.sort((a, b) -> tokenizer.table().bytes(b).length - tokenizer.table().bytes(a).length);
        for (int id : ids.subList(0, Math.min(ids.size(), 400))) {
            String text = tokenizer.decode(new int[] {id}).repeat(20);
            assertThat(tokenizer.fewestTokens(List.of(new Segment(text, false))))
                    .as("token %d: %s", id, text)
                    .isLessThanOrEqualTo(loaded.plain().ids(text, false).length);
        }
    }

    @ParameterizedTest
    @CsvSource({"byte-level,a,12", "byte-level,語,6", "byte-fallback,a,8", "byte-fallback,z,8"})
    void aLongRunOfOneCharacterHasATokenForAFewOfThem(String name, String piece, int most) {
        Tokenizer tokenizer = TestTokenizers.load(name).tokenizer();
        String text = piece.repeat(100_000);
        assertThat(tokenizer.fewestTokens(List.of(new Segment(text, true)))).isGreaterThanOrEqualTo(100_000 / most);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "normalizer|{\"type\":\"NFKC\"}",
                "normalizer|{\"type\":\"Strip\",\"strip_left\":true,\"strip_right\":true}",
                "normalizer|{\"type\":\"Replace\",\"pattern\":{\"Regex\":\" +\"},\"content\":\" \"}",
                "normalizer|{\"type\":\"Replace\",\"pattern\":{\"String\":\"aa\"},\"content\":\"a\"}",
                "pre_tokenizer|{\"type\":\"Whitespace\"}",
                "pre_tokenizer|{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\",\"behavior\":\"Removed\","
                        + "\"pattern\":{\"String\":\"a\"}},{\"type\":\"ByteLevel\"}]}",
                "pre_tokenizer|null",
            })
    void nothingIsSaidWhereAStepMayLoseText(String step, String json) throws IOException {
        ObjectNode tokenizer = read("byte-level");
        assertThat(PromptBound.of(tokenizer, List.of())).isPresent();
        tokenizer.set(step, JSON.readTree(json));
        assertThat(PromptBound.of(tokenizer, List.of())).isEmpty();
    }

    @Test
    void nothingIsSaidWhereUnknownCharactersVanish() throws IOException {
        ObjectNode bytes = read("byte-level");
        ((ObjectNode) bytes.at("/model/vocab")).remove("a");
        assertThat(PromptBound.of(bytes, List.of())).isEmpty();
        ObjectNode fallback = read("byte-fallback");
        assertThat(PromptBound.of(fallback, List.of())).isPresent();
        ((ObjectNode) fallback.at("/model/vocab")).remove("<0xE2>");
        assertThat(PromptBound.of(fallback, List.of())).isEmpty();
        assertThat(PromptBound.of(read("unigram"), List.of())).isEmpty();
    }

    private static ObjectNode read(String name) throws IOException {
        return (ObjectNode) JSON.readTree(
                TestTokenizers.folder(name).resolve("tokenizer.json").toFile());
    }

    @Test
    void whatStaysInNormalFormCIsCountedAlone() {
        TextSteps steps = new TextSteps(true, true, false, Map.of());
        for (int c = 0; c <= Character.MAX_CODE_POINT; c++) {
            if (steps.staysBesideOthers(c)) {
                String alone = Character.toString(c);
                assertThat(nfc(alone)).as("U+%04X", c).isEqualTo(alone);
            }
        }
        for (int run = 0; run < 3_000; run++) {
            int seed = run;
            Random random = new Random(seed);
            StringBuilder text = new StringBuilder();
            for (int i = 0; i < 40; i++) {
                int any = random.nextInt(random.nextBoolean() ? 0x3200 : 0x20000);
                text.append(
                        random.nextInt(3) == 0
                                ? ODD.get(random.nextInt(ODD.size()))
                                : Character.toString(Character.isSurrogate((char) any) ? 'x' : any));
            }
            Map<Integer, Integer> left = new HashMap<>();
            nfc(text.toString()).codePoints().forEach(c -> left.merge(c, 1, Integer::sum));
            counted(steps, text.toString())
                    .forEach((c, times) -> assertThat(left.getOrDefault(c, 0))
                            .as("U+%04X in text of seed %d", c, seed)
                            .isGreaterThanOrEqualTo(times));
        }
    }

    private static Map<Integer, Integer> counted(TextSteps steps, String text) {
        int[] all = text.codePoints().toArray();
        Map<Integer, Integer> counted = new HashMap<>();
        for (int i = 0; i < all.length; i++) {
            if (steps.staysBesideOthers(all[i]) && (i + 1 == all.length || steps.staysBesideOthers(all[i + 1]))) {
                counted.merge(all[i], 1, Integer::sum);
            }
        }
        return counted;
    }

    private static String nfc(String text) {
        return Normalizer.normalize(text, Normalizer.Form.NFC);
    }

    @Test
    void aRenderingIsReadAcrossItsSegments() throws IOException {
        PromptBound bound = PromptBound.of(read("byte-level"), List.of()).orElseThrow();
        String text = "e".repeat(100);
        // Were each segment taken for itself, a letter before a mark would be counted.
        assertThat(bound.fewestTokens(List.of(new Segment(text, true)))).isPositive();
        List<Segment> apart = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            apart.add(new Segment("e", true));
            apart.add(new Segment("\u0301", false));
        }
        assertThat(bound.fewestTokens(apart)).isZero();
    }
}

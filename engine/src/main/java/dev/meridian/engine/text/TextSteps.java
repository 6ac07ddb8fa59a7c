package dev.meridian.engine.text;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What the steps before a tokenizer's model do to the characters of a text, as far as it matters to {@link PromptBound}.
 * Immutable.
 *
 * @param byteLevel the model sees bytes in GPT-2's alphabet
 * @param composes the text is brought into normal form C, which makes one character of several
 * @param swallowsBlanks an added token takes the white space beside it along, however much there is
 * @param replaced single characters that become other single characters
 */
record TextSteps(boolean byteLevel, boolean composes, boolean swallowsBlanks, Map<Integer, Integer> replaced) {
    /** Empty where a step is not known to keep every character of a text. */
    static Optional<TextSteps> read(JsonNode tokenizer) {
        boolean swallows = false;
        for (JsonNode token : tokenizer.path("added_tokens")) {
            swallows |= token.path("lstrip").asBoolean() || token.path("rstrip").asBoolean();
        }
        return Optional.of(new TextSteps(false, false, swallows, Map.of()))
                .flatMap(steps -> steps.afterNormalizer(tokenizer.path("normalizer")))
                .flatMap(steps -> steps.afterPreTokenizer(tokenizer.path("pre_tokenizer")));
    }

    private Optional<TextSteps> afterNormalizer(JsonNode step) {
        return switch (step.path("type").asText()) {
            case "" -> Optional.of(this);
            case "NFC" ->
                replaced.isEmpty()
                        ? Optional.of(new TextSteps(byteLevel, true, swallowsBlanks, replaced))
                        : Optional.empty();
            case "Prepend" -> Optional.of(this);
            case "Replace" ->
                replacing(
                        step.path("pattern").path("String").asText(),
                        step.path("content").asText());
            case "Sequence" -> {
                Optional<TextSteps> all = Optional.of(this);
                for (JsonNode next : step.path("normalizers")) {
                    all = all.flatMap(steps -> steps.afterNormalizer(next));
                }
                yield all;
            }
            default -> Optional.empty();
        };
    }

    private Optional<TextSteps> afterPreTokenizer(JsonNode step) {
        return switch (step.path("type").asText()) {
            case "" -> Optional.of(this);
            case "ByteLevel" ->
                byteLevel || !replaced.isEmpty()
                        ? Optional.empty()
                        : Optional.of(new TextSteps(true, composes, swallowsBlanks, replaced));
            case "Split" -> step.path("behavior").asText().equals("Removed") ? Optional.empty() : Optional.of(this);
            case "Digits" -> Optional.of(this);
            case "Metaspace" -> replacing(" ", step.path("replacement").asText());
            case "Sequence" -> {
                Optional<TextSteps> all = Optional.of(this);
                for (JsonNode next : step.path("pretokenizers")) {
                    all = all.flatMap(steps -> steps.afterPreTokenizer(next));
                }
                yield all;
            }
            default -> Optional.empty();
        };
    }

    /** Only one character by one other: anything else changes how many there are. */
    private Optional<TextSteps> replacing(String pattern, String by) {
        if (byteLevel
                || pattern.codePointCount(0, pattern.length()) != 1
                || by.codePointCount(0, by.length()) != 1
                || composes) {
            return Optional.empty();
        }
        int from = pattern.codePointAt(0);
        int to = by.codePointAt(0);
        Map<Integer, Integer> all = new HashMap<>(replaced);
        all.replaceAll((_, target) -> target == from ? to : target);
        all.putIfAbsent(from, to);
        return Optional.of(new TextSteps(false, false, swallowsBlanks, Map.copyOf(all)));
    }

    /** What the model sees in place of a character. */
    int mapped(int codePoint) {
        return replaced.getOrDefault(codePoint, codePoint);
    }

    /** Whether any number of these may vanish in a token beside them. */
    boolean mayBeSwallowed(int codePoint) {
        return swallowsBlanks
                && (Character.isWhitespace(codePoint) || Character.isSpaceChar(codePoint) || codePoint == 0x85);
    }

    /**
     * Whether a character is left as it is where the next one is of this kind, too, or the text ends. Of what normal form C
     * may change only a choice is named here that is as plain as it is common: characters that have no other form, and
     * that are no part of another one with what stands before them (Unicode Standard Annex 15).
     */
    boolean staysBesideOthers(int c) {
        return !composes
                || c < 0x300
                || (c >= 0x400 && c <= 0x482)
                || (c >= 0x3400 && c <= 0x4dbf)
                || (c >= 0x4e00 && c <= 0x9fff)
                || (c >= 0xac00 && c <= 0xd7a3)
                || (c >= 0x3041 && c <= 0x3096)
                || (c >= 0x30a1 && c <= 0x30fa)
                || (c >= 0x1f300 && c <= 0x1faff);
    }
}

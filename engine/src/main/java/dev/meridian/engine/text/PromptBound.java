package dev.meridian.engine.text;

import com.fasterxml.jackson.databind.JsonNode;
import dev.meridian.engine.template.Segment;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * How many tokens a text has at least, known without tokenising it: a prompt that cannot fit is refused for the price of
 * reading it once. Immutable, safe for any thread.
 *
 * <p>Every unit of a text (a byte where the vocabulary is of bytes, else a character) lies in exactly one token. A unit
 * that occurs in no token of more than {@code n} units takes at least the {@code n}-th part of one, so that the sum of
 * these parts never exceeds the number of tokens. That holds only where nothing of the text gets lost on the way to its
 * tokens; so there is a bound only for tokenizers whose every step is known to keep all of it.
 */
final class PromptBound {
    private static final int REPLACEMENT = 0xfffd;

    /** The greatest length of a token by a unit that it holds; of units that are not here it is 1. */
    private final Map<Integer, Integer> longest = new HashMap<>();

    /** Whether units are bytes of UTF-8, else code points. */
    private final boolean bytes;

    private final TextSteps steps;
    private final double[] byteWeights = new double[256];
    /** Of the characters that most texts are made of. */
    private final double[] weights = new double[0x3100];

    private PromptBound(boolean bytes, TextSteps steps) {
        this.bytes = bytes;
        this.steps = steps;
    }

    /** Empty where the tokenizer may drop, merge or replace parts of a text without a trace. */
    static Optional<PromptBound> of(JsonNode tokenizer, List<AddedToken> added) {
        JsonNode model = tokenizer.path("model");
        JsonNode vocab = model.path("vocab");
        Optional<TextSteps> steps = TextSteps.read(tokenizer);
        if (steps.isEmpty() || !model.path("type").asText("BPE").equals("BPE") || !vocab.isObject()) {
            return Optional.empty();
        }
        boolean bytes = steps.get().byteLevel();
        if (bytes ? !hasByteAlphabet(vocab) : !hasFallbackBytes(model)) {
            return Optional
                    .empty(); // What is not in the vocabulary is dropped, or many of it become one unknown token.
        }
        PromptBound bound = new PromptBound(bytes, steps.get());
        vocab.fieldNames().forEachRemaining(bound::countVocabulary);
        added.forEach(token -> bound.countText(token.content()));
        bound.fillWeights();
        return Optional.of(bound);
    }

    private static boolean hasByteAlphabet(JsonNode vocab) {
        boolean[] seen = new boolean[256];
        vocab.fieldNames().forEachRemaining(token -> {
            int value = token.length() == 1 ? ByteAlphabet.byteOf(token.charAt(0)) : -1;
            if (value >= 0) {
                seen[value] = true;
            }
        });
        for (boolean one : seen) {
            if (!one) {
                return false;
            }
        }
        return true;
    }

    private static boolean hasFallbackBytes(JsonNode model) {
        for (int value = 0; value < 256; value++) {
            if (!model.path("vocab").has("<0x%02X>".formatted(value))) {
                return false;
            }
        }
        return model.path("byte_fallback").asBoolean();
    }

    private void countVocabulary(String token) {
        if (bytes && token.chars().allMatch(c -> ByteAlphabet.byteOf((char) c) >= 0)) {
            count(token.chars().map(c -> ByteAlphabet.byteOf((char) c)).toArray());
        } else {
            countText(token);
        }
    }

    /** Takes a token for what its own text is. */
    private void countText(String text) {
        if (bytes) {
            byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
            int[] units = new int[utf8.length];
            for (int i = 0; i < units.length; i++) {
                units[i] = utf8[i] & 0xff;
            }
            count(units);
        } else {
            count(text.codePoints().toArray());
            count(text.codePoints().map(steps::mapped).toArray());
        }
    }

    private void count(int[] units) {
        for (int unit : units) {
            longest.merge(unit, units.length, Math::max);
        }
    }

    private void fillWeights() {
        for (int value = 0; value < byteWeights.length; value++) {
            byteWeights[value] = 1.0 / longest.getOrDefault(value, 1);
        }
        for (int c = 0; c < weights.length; c++) {
            weights[c] = weightOf(c);
        }
    }

    private double weight(int codePoint) {
        return codePoint < weights.length ? weights[codePoint] : weightOf(codePoint);
    }

    /** The part of a token that a character takes at least. */
    private double weightOf(int codePoint) {
        if (steps.mayBeSwallowed(codePoint)) {
            return 0;
        }
        if (!bytes) {
            return 1.0 / longest.getOrDefault(steps.mapped(codePoint), 1);
        }
        if (codePoint < 0x80) {
            return byteWeights[codePoint];
        }
        double trail = byteWeights[0x80 | (codePoint & 0x3f)];
        if (codePoint < 0x800) {
            return byteWeights[0xc0 | codePoint >> 6] + trail;
        }
        trail += byteWeights[0x80 | (codePoint >> 6 & 0x3f)];
        return codePoint < 0x10000
                ? byteWeights[0xe0 | codePoint >> 12] + trail
                : byteWeights[0xf0 | codePoint >> 18] + byteWeights[0x80 | (codePoint >> 12 & 0x3f)] + trail;
    }

    /** The fewest tokens that a rendering can have. */
    long fewestTokens(List<Segment> rendering) {
        double counted = 0;
        double pending = 0;
        for (Segment segment : rendering) {
            String text = segment.text();
            for (int at = 0; at < text.length(); at++) {
                int c = text.codePointAt(at);
                if (c > 0xffff) {
                    at++;
                } else if (Character.isSurrogate((char) c)) {
                    c = REPLACEMENT;
                }
                if (steps.staysBesideOthers(c)) {
                    counted += pending;
                    pending = weight(c);
                } else {
                    pending = 0; // It may change, or change the character before it.
                }
            }
        }
        return (long) (counted + pending);
    }
}

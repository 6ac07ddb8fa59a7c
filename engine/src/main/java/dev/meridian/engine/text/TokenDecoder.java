package dev.meridian.engine.text;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * The {@code decoder} of a {@code tokenizer.json} in a form that streams: what each token's bytes are, and what happens
 * to the text's start.
 *
 * @param byteLevel tokens are written in GPT-2's alphabet of bytes
 * @param byteFallback {@code <0x0A>} is the byte 10
 * @param replacements applied to every token in order
 * @param firstDrops dropped from the first token, wherever it stands in it; empty where nothing is
 * @param stripped how many times {@code strip} is dropped from the start of the text
 * @param separator between any two tokens
 */
record TokenDecoder(
        boolean byteLevel,
        boolean byteFallback,
        List<Replacement> replacements,
        String firstDrops,
        String strip,
        int stripped,
        String separator) {
    record Replacement(String pattern, String by) {}

    static TokenDecoder read(JsonNode decoder) {
        if (decoder.isMissingNode() || decoder.isNull()) {
            return new TokenDecoder(false, false, List.of(), "", " ", 0, " ");
        }
        List<JsonNode> steps = new ArrayList<>();
        if (decoder.path("type").asText().equals("Sequence")) {
            decoder.path("decoders").forEach(steps::add);
        } else {
            steps.add(decoder);
        }
        TokenDecoder result = new TokenDecoder(false, false, List.of(), "", " ", 0, "");
        for (JsonNode step : steps) {
            result = result.with(step);
        }
        return result;
    }

    private TokenDecoder with(JsonNode step) {
        String type = step.path("type").asText();
        return switch (type) {
            case "ByteLevel" ->
                new TokenDecoder(true, byteFallback, replacements, firstDrops, strip, stripped, separator);
            case "ByteFallback" ->
                new TokenDecoder(byteLevel, true, replacements, firstDrops, strip, stripped, separator);
            case "Fuse" -> this;
            case "Replace" ->
                withReplacement(
                        step.path("pattern").path("String").asText(),
                        step.path("content").asText(),
                        "");
            case "Metaspace" -> {
                String blank = step.path("replacement").asText("\u2581");
                boolean kept = step.path("prepend_scheme").asText().equals("never")
                        || (!step.has("prepend_scheme")
                                && !step.path("add_prefix_space").asBoolean(true));
                yield withReplacement(blank, " ", kept ? "" : blank);
            }
            case "Strip" -> withStrip(step);
            default -> throw new TokenizerException("tokenizer.json: the decoder '" + type + "' is not supported");
        };
    }

    private TokenDecoder withReplacement(String pattern, String by, String dropped) {
        if (pattern.isEmpty()) {
            throw new TokenizerException(
                    "tokenizer.json: a decoder that replaces by regular expression is not supported");
        }
        List<Replacement> all = new ArrayList<>(replacements);
        all.add(new Replacement(pattern, by));
        return new TokenDecoder(byteLevel, byteFallback, List.copyOf(all), dropped, strip, stripped, separator);
    }

    private TokenDecoder withStrip(JsonNode step) {
        if (step.path("stop").asInt() != 0) {
            throw new TokenizerException("tokenizer.json: a decoder that strips the end of a text is not supported");
        }
        return new TokenDecoder(
                byteLevel,
                byteFallback,
                replacements,
                firstDrops,
                step.path("content").asText(" "),
                step.path("start").asInt(),
                separator);
    }

    /** The bytes that a token adds to the text. */
    byte[] bytes(String token, boolean first) {
        if (byteFallback && token.matches("<0x[0-9A-Fa-f]{2}>")) {
            return new byte[] {(byte) Integer.parseInt(token.substring(3, 5), 16)};
        }
        String text = first && !firstDrops.isEmpty() ? token.replace(firstDrops, "") : token;
        for (Replacement replacement : replacements) {
            text = text.replace(replacement.pattern, replacement.by);
        }
        return byteLevel ? byteLevelBytes(text) : text.getBytes(StandardCharsets.UTF_8);
    }

    /** A token with a character outside the alphabet is taken as it is written. */
    private static byte[] byteLevelBytes(String text) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(text.length());
        for (int i = 0; i < text.length(); i++) {
            int value = ByteAlphabet.byteOf(text.charAt(i));
            if (value < 0) {
                return text.getBytes(StandardCharsets.UTF_8);
            }
            bytes.write(value);
        }
        return bytes.toByteArray();
    }
}

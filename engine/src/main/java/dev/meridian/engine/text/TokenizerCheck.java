package dev.meridian.engine.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Set;

/**
 * Refuses a {@code tokenizer.json} that could end the process. The tokenizers library (0.21) panics on some input instead
 * of failing, and a panic in native code is the end of the JVM. Seen: text with half a surrogate pair and numbers beyond
 * a double, anywhere in a decoder; a template that names a special token which it does not define. By its source: prefixes of subwords that a merge does not have, tables of the
 * Precompiled normaliser with offsets outside of it, and expressions whose search its engine gives up.
 */
final class TokenizerCheck {
    private static final int MAX_DEPTH = 16;
    private static final int MAX_STEPS = 32;
    private static final int MAX_TEXT = 1 << 16;
    private static final int MAX_STRIPPED = 1000;
    private static final Set<String> NORMALIZERS = Set.of(
            "Sequence",
            "NFC",
            "NFD",
            "NFKC",
            "NFKD",
            "Lowercase",
            "Strip",
            "StripAccents",
            "Replace",
            "Prepend",
            "BertNormalizer",
            "Nmt",
            "ByteLevel");
    private static final Set<String> PRE_TOKENIZERS = Set.of(
            "Sequence",
            "ByteLevel",
            "Metaspace",
            "Split",
            "Digits",
            "Whitespace",
            "WhitespaceSplit",
            "Punctuation",
            "BertPreTokenizer",
            "UnicodeScripts",
            "CharDelimiterSplit");
    private static final Set<String> POST_PROCESSORS =
            Set.of("Sequence", "ByteLevel", "TemplateProcessing", "BertProcessing", "RobertaProcessing");
    private static final Set<String> MODELS = Set.of("BPE", "Unigram", "WordPiece", "WordLevel");

    private TokenizerCheck() {}

    /** Throws {@link TokenizerException} naming what is not supported. Decoders are {@link TokenDecoder}'s matter. */
    static void check(ObjectNode tokenizer) {
        values(tokenizer, 0);
        component("normalizer", tokenizer.path("normalizer"), NORMALIZERS, 0);
        component("pre_tokenizer", tokenizer.path("pre_tokenizer"), PRE_TOKENIZERS, 0);
        component("post_processor", tokenizer.path("post_processor"), POST_PROCESSORS, 0);
        steps("decoder", tokenizer.path("decoder"));
        model(tokenizer.path("model"));
    }

    /** Every text is Unicode and every number a number, to the library as to us. */
    private static void values(JsonNode node, int depth) {
        if (depth > MAX_DEPTH) {
            throw refuse("nested more than " + MAX_DEPTH + " deep");
        }
        if (node.isTextual()) {
            text(node.textValue());
        } else if (node.isNumber()) {
            if (node.isIntegralNumber() ? !node.canConvertToLong() : !Double.isFinite(node.doubleValue())) {
                throw refuse("a number of no usable size");
            }
        } else {
            if (node.isObject()) {
                node.fieldNames().forEachRemaining(TokenizerCheck::text);
            }
            for (JsonNode child : node) {
                values(child, depth + 1);
            }
        }
    }

    @SuppressWarnings("ReferenceEquality") // The same instance says that there was nothing to mend.
    private static void text(String text) {
        if (text.length() > MAX_TEXT) {
            throw refuse("a text of more than " + MAX_TEXT + " characters");
        }
        if (NativeTokenizer.wellFormed(text) != text) {
            throw refuse("a text with half a surrogate pair");
        }
    }

    private static void component(String name, JsonNode node, Set<String> known, int depth) {
        if (node.isMissingNode() || node.isNull()) {
            return;
        }
        String type = node.path("type").asText();
        if (!node.isObject() || !known.contains(type) || depth > MAX_DEPTH) {
            throw refuse("the " + name + " '" + type + "' is not supported");
        }
        if (type.equals("TemplateProcessing")) {
            template(node);
        }
        JsonNode pattern = node.path("pattern").path("Regex");
        if (pattern.isTextual()) {
            PatternCheck.check(pattern.textValue());
        }
        for (String list : Set.of("normalizers", "pretokenizers", "processors")) {
            if (node.path(list).size() > MAX_STEPS) {
                throw refuse("the " + name + " has more than " + MAX_STEPS + " steps");
            }
            for (JsonNode step : node.path(list)) {
                component(name, step, known, depth + 1);
            }
        }
    }

    /** The library looks each piece up when it encodes, and does not ask whether it is there. */
    private static void template(JsonNode processor) {
        JsonNode defined = processor.path("special_tokens");
        for (JsonNode token : defined) {
            if (token.path("ids").isEmpty()
                    || token.path("ids").size() != token.path("tokens").size()) {
                throw refuse("a special token of the template needs as many ids as tokens");
            }
        }
        for (String kind : Set.of("single", "pair")) {
            for (JsonNode piece : processor.path(kind)) {
                String special = piece.path("SpecialToken").path("id").asText();
                String sequence = piece.path("Sequence").path("id").asText();
                boolean known = piece.has("SpecialToken")
                        ? defined.has(special)
                        : sequence.equals("A") || (sequence.equals("B") && kind.equals("pair"));
                if (!known) {
                    throw refuse("the template's '" + kind + "' names '" + special + sequence
                            + "', which it does not define");
                }
            }
        }
    }

    private static void steps(String name, JsonNode node) {
        if (node.path("decoders").size() > MAX_STEPS) {
            throw refuse("the " + name + " has more than " + MAX_STEPS + " steps");
        }
        for (JsonNode step : node.path("decoders")) {
            steps(name, step);
        }
        JsonNode start = node.path("start");
        if (!start.isMissingNode() && (!start.isInt() || start.intValue() < 0 || start.intValue() > MAX_STRIPPED)) {
            throw refuse("the " + name + " strips " + start + " characters");
        }
    }

    private static void model(JsonNode model) {
        // Files older than this field are of BPE, and have merges.
        String type = model.path("type").asText(model.has("merges") ? "BPE" : "");
        if (!MODELS.contains(type)) {
            throw refuse("the model '" + type + "' is not supported");
        }
        if (type.equals("BPE")) {
            JsonNode prefix = model.path("continuing_subword_prefix");
            if (!prefix.asText("").isEmpty() && !prefix.isNull()) {
                throw refuse("continuing_subword_prefix '" + prefix.asText() + "' is not supported");
            }
            if (model.path("dropout").asDouble(0) != 0) {
                throw refuse("dropout makes another text of every prompt");
            }
        }
        JsonNode unknown = model.path("unk_id");
        if (type.equals("Unigram")
                && unknown.isNumber()
                && (!unknown.isInt()
                        || unknown.intValue() < 0
                        || unknown.intValue() >= model.path("vocab").size())) {
            throw refuse("unk_id " + unknown + " is outside the vocabulary");
        }
    }

    private static TokenizerException refuse(String what) {
        return new TokenizerException("tokenizer.json: " + what);
    }
}

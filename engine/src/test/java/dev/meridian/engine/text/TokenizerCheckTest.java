package dev.meridian.engine.text;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class TokenizerCheckTest {
    private static final JsonMapper JSON = new JsonMapper();

    private static void check(String parts) throws IOException {
        String model = parts.contains("\"model\"") ? "" : ", \"model\": {\"type\": \"BPE\"}";
        TokenizerCheck.check((ObjectNode) JSON.readTree("{" + parts + model + "}"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            "decoder": {"type": "ByteLevel", "x": "\\ud800"}   | half a surrogate pair
            "decoder": {"type": "ByteLevel", "\\ud800": 1}     | half a surrogate pair
            "decoder": {"type": "ByteLevel", "x": 1e999}       | no usable size
            "decoder": {"type": "Strip", "start": 2147483647}  | strips 2147483647
            "x": 99999999999999999999                          | no usable size
            "normalizer": {"type": "Precompiled", "precompiled_charsmap": "AAAA"} | 'Precompiled' is not supported
            "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Nothing"}]} | 'Nothing' is not supported
            "post_processor": 5                                | the post_processor '' is not supported
            "post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>"}}]} | 'single' names '<s>'
            "post_processor": {"type": "TemplateProcessing", "single": [{"Sequence": {"id": "B"}}]} | 'single' names 'B'
            "post_processor": {"type": "TemplateProcessing", "pair": [{"Nobody": {}}]}     | 'pair' names ''
            "post_processor": {"type": "TemplateProcessing", "special_tokens": {"s": {"ids": [1], "tokens": []}}} | as many ids
            "model": {"type": "BPE", "continuing_subword_prefix": "##"} | continuing_subword_prefix '##'
            "model": {"type": "BPE", "dropout": 0.1}           | dropout
            "model": {"type": "Unigram", "unk_id": 3, "vocab": [["a", 0]]} | unk_id 3 is outside
            "model": {"type": "Neural"}                        | the model 'Neural' is not supported
            """)
    void whatEndsTheProcessIsRefused(String part, String fault) {
        assertThatThrownBy(() -> check(part))
                .isInstanceOf(TokenizerException.class)
                .hasMessageContaining(fault);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "(a+)+$",
                "(?:a|b)*c",
                "(a){2,}",
                "(a)\\1",
                "\\k<x>",
                "a*a*a*a*a*b",
                "[a",
                "(a",
                "a)",
                "a\\",
                "a{x}"
            })
    void expressionsThatMaySearchForeverAreRefused(String pattern) {
        assertThatThrownBy(() -> PatternCheck.check(pattern)).isInstanceOf(TokenizerException.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
                "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
                        + "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
                "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+"
                        + "(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}",
                "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+",
                "\\p{N}{1}",
                "[\u4e00-\u9fa5\u3040-\u309f]+"
            })
    void expressionsOfKnownModelsPass(String pattern) {
        assertThatCode(() -> PatternCheck.check(pattern)).doesNotThrowAnyException();
    }
}

package dev.meridian.engine.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;

/** The tokenizers of the tests: tiny ones of this project, and real ones where the assets are. */
final class TestTokenizers {
    static final List<String> OWN = List.of("byte-level", "byte-fallback", "unigram");
    private static final List<String> REAL = List.of(
            "llm/TinyStories-656K",
            "llm/genai-test-models/hf-internal-testing/tiny-random-gpt2-fp32",
            "llm/genai-test-models/phi3-v",
            "tokenizers/qwen3");
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Map<String, Loaded> LOADED = new ConcurrentHashMap<>();

    /** A tokenizer of ours, and the library's own over the same file. */
    record Loaded(Tokenizer tokenizer, NativeTokenizer plain, List<AddedToken> added) {}

    private TestTokenizers() {}

    static List<String> present() {
        List<String> names = new ArrayList<>(OWN);
        REAL.stream().filter(name -> Files.exists(assets().resolve(name))).forEach(names::add);
        return names;
    }

    private static Path assets() {
        return Path.of(System.getProperty("meridian.assets", "none"));
    }

    /** Kept open for all tests: loading a real one takes a second. */
    static Loaded load(String name) {
        return LOADED.computeIfAbsent(name, _ -> {
            try {
                Path folder = folder(name);
                byte[] json = Files.readAllBytes(folder.resolve("tokenizer.json"));
                return new Loaded(
                        Tokenizer.load(folder), NativeTokenizer.of(json), AddedToken.read(JSON.readTree(json)));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    static Path folder(String name) throws IOException {
        if (OWN.contains(name)) {
            try {
                return Path.of(
                        TestTokenizers.class.getResource("/tokenizers/" + name).toURI());
            } catch (URISyntaxException e) {
                throw new IOException(e);
            }
        }
        Path asset = assets().resolve(name);
        return Files.exists(asset.resolve("tokenizer.json")) ? asset : assembled(asset);
    }

    /** Puts a Qwen tokenizer.json together from its vocabulary, merges and added tokens. */
    private static Path assembled(Path asset) throws IOException {
        JsonNode config = JSON.readTree(asset.resolve("tokenizer_config.json").toFile());
        ObjectNode tokenizer = (ObjectNode) JSON.readTree("""
                {"version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": {"type": "NFC"},
                 "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
                   {"type": "Split", "behavior": "Isolated", "invert": false, "pattern": {"Regex":
                   "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?\\\\p{L}+|\\\\p{N}| ?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n]*|\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+"}},
                   {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false}]},
                 "post_processor": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false},
                 "decoder": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false},
                 "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": "",
                  "end_of_word_suffix": "", "fuse_unk": false, "byte_fallback": false}}
                """);
        ArrayNode added = (ArrayNode) tokenizer.get("added_tokens");
        config.path("added_tokens_decoder").properties().forEach(entry -> {
            ObjectNode token = added.addObject();
            token.put("id", Integer.parseInt(entry.getKey()));
            token.setAll((ObjectNode) entry.getValue());
        });
        ObjectNode model = (ObjectNode) tokenizer.get("model");
        model.set("vocab", JSON.readTree(asset.resolve("vocab.json").toFile()));
        ArrayNode merges = model.putArray("merges");
        Files.readAllLines(asset.resolve("merges.txt")).stream()
                .filter(line -> !line.isEmpty() && !line.startsWith("#version"))
                .forEach(merges::add);
        Path folder = Files.createTempDirectory("tokenizer");
        folder.toFile().deleteOnExit();
        JSON.writeValue(folder.resolve("tokenizer.json").toFile(), tokenizer);
        Files.copy(asset.resolve("tokenizer_config.json"), folder.resolve("tokenizer_config.json"));
        Files.copy(asset.resolve("chat_template.jinja"), folder.resolve("chat_template.jinja"));
        for (String file : List.of("tokenizer.json", "tokenizer_config.json", "chat_template.jinja")) {
            folder.resolve(file).toFile().deleteOnExit();
        }
        return folder;
    }

    private static final List<String> PIECES = List.of(
            "the",
            " the",
            "hello",
            " ",
            "  ",
            "    ",
            "\n",
            "\n\n",
            "\t",
            "a",
            "B",
            "42",
            "def f(x):",
            "'s",
            ".",
            "<",
            "|",
            ">",
            "<|",
            "|>",
            "im_start",
            "</",
            "s>",
            "日本語",
            "語",
            "naïve",
            "e\u0301",
            "\u0301",
            "👩‍👩‍👧",
            "🙂",
            "🇫🇷",
            "\ufe0f",
            "ни",
            "العربية",
            "ကမ္ဘာ",
            "\u00a0",
            "\u3000",
            "\u2028",
            "\u2581",
            "\ufffd",
            "Ġ",
            "<0x0A>",
            "ﬁ",
            "ß",
            "\r\n",
            "\u0000",
            "user",
            "ing",
            "ll",
            "  x  ",
            "€",
            "\u200b",
            "𝔘");

    /** Text of words, blanks and oddities, without any of the added tokens. */
    static String text(Random random, int most) {
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(most + 1); i > 0; i--) {
            text.append(PIECES.get(random.nextInt(PIECES.size())));
        }
        return text.toString();
    }
}

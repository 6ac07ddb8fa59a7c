package dev.meridian.engine.text;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.meridian.engine.template.Segment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * Text to token ids, by a folder's {@code tokenizer.json}. Safe for any thread until it is closed; nobody may be encoding
 * then. Loading holds a few times the file's size on the heap for a moment; the native side keeps two tokenizers.
 */
public final class Tokenizer implements AutoCloseable {
    private final NativeTokenizer whole;
    private final SegmentEncoder segments;
    private final TokenTable table;
    private final Map<String, String> specialTokens;
    private final Optional<String> chatTemplateSource;
    private final int[] prefix;
    private final Optional<PromptBound> bound;

    private Tokenizer(TokenizerFiles files) {
        ObjectNode json = files.tokenizer();
        TokenizerCheck.check(json);
        json.putNull("truncation");
        json.putNull("padding");
        List<AddedToken> added = AddedToken.read(json);
        byte[] bytes = TokenizerFiles.bytes(json);
        // The two native tokenizers are nearly all of what a load costs once the weights are mapped.
        CompletableFuture<NativeTokenizer> other = CompletableFuture.supplyAsync(
                () -> NativeTokenizer.of(bytes),
                task -> Thread.ofPlatform().daemon().name("load-tokenizer").start(task));
        try {
            this.table = TokenTable.of(json, added);
            this.bound = PromptBound.of(json, added);
            this.segments = new SegmentEncoder(json, added);
        } catch (RuntimeException e) {
            var _ = other.thenAccept(NativeTokenizer::close);
            throw e;
        }
        try {
            this.whole = made(other);
        } catch (RuntimeException e) {
            segments.close();
            throw e;
        }
        this.specialTokens = files.specialTokens();
        this.chatTemplateSource = files.chatTemplate();
        this.prefix = prefix(whole);
    }

    /**
     * Reads {@code tokenizer.json}, and where present {@code tokenizer_config.json}, {@code special_tokens_map.json} and
     * {@code chat_template.jinja}. Throws {@link TokenizerException} where the first is missing or not understood.
     */
    public static Tokenizer load(Path folder) {
        return new Tokenizer(TokenizerFiles.read(folder));
    }

    private static NativeTokenizer made(CompletableFuture<NativeTokenizer> other) {
        try {
            return other.join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof TokenizerException refused
                    ? refused
                    : new TokenizerException("tokenizer.json: " + e.getCause(), e);
        }
    }

    /** What the post-processor puts before every text, for example BOS. */
    private static int[] prefix(NativeTokenizer whole) {
        int[] plain = whole.ids("a", false);
        int[] processed = whole.ids("a", true);
        for (int at = 0; at + plain.length <= processed.length; at++) {
            if (Arrays.equals(processed, at, at + plain.length, plain, 0, plain.length)) {
                return Arrays.copyOf(processed, at);
            }
        }
        return new int[0];
    }

    /**
     * Encodes a rendered chat. Special tokens count where the template wrote them; the same characters in a message stay
     * text. Where no message holds any, the ids are those of the plain rendering. Nothing is put before or after,
     * because a chat template writes its own BOS.
     */
    public int[] encode(List<Segment> rendering) {
        return segments.encode(rendering);
    }

    /** Encodes a raw prompt: special tokens in it are special, and the tokenizer's own prefix (BOS) comes first. */
    public int[] encodeText(String text) {
        return withPrefix(whole.ids(text, false));
    }

    /** Encodes text in which nothing is special, after the tokenizer's own prefix (BOS). */
    public int[] encodePlain(String text) {
        return withPrefix(segments.encode(List.of(new Segment(text, true))));
    }

    /** How many tokens a rendering has at least, by reading it once; 0 where this tokenizer lets nothing be said. */
    long fewestTokens(List<Segment> rendering) {
        return bound.map(known -> known.fewestTokens(rendering)).orElse(0L);
    }

    private int[] withPrefix(int[] ids) {
        int[] all = Arrays.copyOf(prefix, prefix.length + ids.length);
        System.arraycopy(ids, 0, all, prefix.length, ids.length);
        return all;
    }

    /** The library's decoding of all ids at once, without special tokens; {@link Detokenizer} streams the same text. */
    public String decode(int[] ids) {
        return whole.decode(ids);
    }

    public TokenTable table() {
        return table;
    }

    /** Special tokens by their names in chat templates: {@code bos_token}, {@code eos_token} and so on. */
    public Map<String, String> specialTokens() {
        return specialTokens;
    }

    /** The source of the folder's chat template. */
    public Optional<String> chatTemplateSource() {
        return chatTemplateSource;
    }

    @Override
    public void close() {
        whole.close();
        segments.close();
    }
}

package dev.meridian.node;

import dev.meridian.bench.Perplexity;
import dev.meridian.engine.LoadedModel;
import dev.meridian.engine.text.Encoded;
import dev.meridian.engine.text.Tokenizer;
import dev.meridian.protocol.TokenIds;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;

/**
 * The text that a model's perplexity is of: the first tokens of a file of UTF-8.
 *
 * @param file where it comes from
 * @param text as much of it as {@code mostTokens} can need
 * @param mostTokens of it that are run
 */
record EvalText(Path file, String text, int mostTokens) implements EvalSubject {
    private static final int LEAST_TOKENS = 2;
    private static final int MOST_TOKENS = 1_000_000;
    private static final int MAX_FILE_BYTES = 16 << 20;
    /** Few tokens have as many characters, so that no more of a long file need be tokenised. */
    private static final int CHARACTERS_A_TOKEN = 64;

    /**
     * The text that a command measures models of a source folder with. Throws CommandFailed where the file cannot be used, and
     * ParameterException, naming {@code option}, where {@code mostTokens} is none that can be.
     */
    static EvalText of(CommandSpec spec, Path file, String option, int mostTokens, Path source) {
        requireRange(spec, option, mostTokens);
        EvalText text = read(file, mostTokens);
        // A folder without a tokenizer is the import's to refuse.
        if (Files.isRegularFile(source.resolve("tokenizer.json"))) {
            text.requireTokens(source);
        }
        return text;
    }

    private static void requireRange(CommandSpec spec, String option, int mostTokens) {
        if (mostTokens < LEAST_TOKENS || mostTokens > MOST_TOKENS) {
            throw new ParameterException(
                    spec.commandLine(),
                    option + " " + mostTokens + ": expected " + LEAST_TOKENS + " to " + MOST_TOKENS);
        }
    }

    /** Throws CommandFailed where there is no such file, or it is empty, too large, or no UTF-8. */
    static EvalText read(Path file, int mostTokens) {
        if (Files.notExists(file)) {
            throw new CommandFailed(file + ": no such file");
        }
        if (!Files.isRegularFile(file)) {
            throw new CommandFailed(file + ": not a file");
        }
        String text = decoded(file, bytes(file));
        if (text.isEmpty()) {
            throw new CommandFailed(file + ": empty; a text to evaluate with has at least " + LEAST_TOKENS + " tokens");
        }
        int most = (int) Math.min(text.length(), (long) mostTokens * CHARACTERS_A_TOKEN);
        boolean splitsPair = most < text.length() && Character.isLowSurrogate(text.charAt(most));
        return new EvalText(file, text.substring(0, splitsPair ? most - 1 : most), mostTokens);
    }

    private static byte[] bytes(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(MAX_FILE_BYTES + 1);
            if (bytes.length > MAX_FILE_BYTES) {
                throw new CommandFailed(
                        file + ": larger than " + Bytes.format(MAX_FILE_BYTES) + "; give a part of the text");
            }
            return bytes;
        } catch (IOException e) {
            throw new CommandFailed(file + ": " + e.getMessage(), e);
        }
    }

    private static String decoded(Path file, byte[] bytes) {
        ByteBuffer in = ByteBuffer.wrap(bytes);
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(in).toString();
        } catch (CharacterCodingException e) {
            throw new CommandFailed(file + ": not UTF-8 at byte " + in.position(), e);
        }
    }

    /** Throws CommandFailed where the tokenizer in a folder makes fewer than two tokens of the text. */
    private void requireTokens(Path folder) {
        try (Tokenizer tokenizer = Tokenizer.load(folder)) {
            requireTokens(tokenizer.encodeText(text).length);
        }
    }

    private void requireTokens(int count) {
        if (count < LEAST_TOKENS) {
            throw new CommandFailed(file + ": " + count + (count == 1 ? " token" : " tokens")
                    + ", a text to evaluate with has at least " + LEAST_TOKENS);
        }
    }

    /** In windows that overlap by half. */
    @Override
    public Perplexity.Result predict(LoadedModel model, int rows, int chunk, int window, Counted counted) {
        int[] tokens = tokens(model);
        int all = tokens.length - 1;
        return Perplexity.of(
                model.runner(), rows, chunk, tokens, window, strideTokens(window), done -> counted.tokens(done, all));
    }

    /** Half a window: all but the first window's predictions look at half a window at least. */
    static int strideTokens(int window) {
        return Math.max(1, window / 2);
    }

    /** The first {@link #mostTokens} by the model's own tokenizer, its prefix (BOS) before them. */
    private int[] tokens(LoadedModel model) {
        int[] all = switch (model.encodeWhole(text)) {
            case Encoded.Ids(TokenIds ids) -> ids.toArray();
            case Encoded.Refused(var reason) -> throw new CommandFailed(file + ": " + Refusals.sentence(reason));
        };
        requireTokens(all.length);
        return Arrays.copyOf(all, Math.min(all.length, mostTokens));
    }
}

package dev.meridian.engine.text;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.jni.CharSpan;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.meridian.engine.template.Segment;
import dev.meridian.engine.text.CommandFinder.Found;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/**
 * Encodes a rendering in which only the template may write special tokens. Each one that the template wrote is replaced
 * by its secret name, and the whole goes through the guarded tokenizer at once, so that every other id is the plain
 * rendering's. Safe for any thread.
 */
final class SegmentEncoder implements AutoCloseable {
    private final NativeTokenizer guarded;
    private final CommandFinder finder;
    private final Map<String, String> names;

    SegmentEncoder(ObjectNode tokenizer, List<AddedToken> tokens) {
        byte[] nonce = new byte[16];
        new SecureRandom().nextBytes(nonce);
        this.names = GuardedJson.names(tokens, HexFormat.of().formatHex(nonce));
        this.finder = new CommandFinder(tokens);
        this.guarded = NativeTokenizer.of(TokenizerFiles.bytes(GuardedJson.rename(tokenizer, names)));
    }

    int[] encode(List<Segment> segments) {
        StringBuilder joined = new StringBuilder();
        List<Segment> wellFormed = new ArrayList<>(segments.size());
        for (Segment segment : segments) {
            Segment fixed = new Segment(NativeTokenizer.wellFormed(segment.text()), segment.fromMessage());
            wellFormed.add(fixed);
            joined.append(fixed.text());
        }
        String text = joined.toString();
        List<Found> commands = finder.find(wellFormed);
        while (true) {
            int[] starts = new int[commands.size()];
            int[] ends = new int[commands.size()];
            Encoding encoding = guarded.encode(substitute(text, commands, starts, ends), false);
            List<Found> taken = taken(encoding, commands, starts, ends);
            if (taken.size() == commands.size()) {
                return NativeTokenizer.ids(encoding);
            }
            // The library finds some tokens only beside certain characters; elsewhere they are plain text to it.
            commands = taken;
        }
    }

    /** The text with secret names; {@code starts} and {@code ends} take where they stand, in code points. */
    private String substitute(String text, List<Found> commands, int[] starts, int[] ends) {
        StringBuilder out = new StringBuilder(text.length() + commands.size() * 40);
        int at = 0;
        int codePoints = 0;
        for (int i = 0; i < starts.length; i++) {
            Found command = commands.get(i);
            String name = names.getOrDefault(
                    command.token().content(), command.token().content());
            out.append(text, at, command.from()).append(name);
            codePoints += Character.codePointCount(text, at, command.from());
            starts[i] = codePoints;
            codePoints += name.codePointCount(0, name.length());
            ends[i] = codePoints;
            at = command.to();
        }
        return out.append(text, at, text.length()).toString();
    }

    /** The commands whose whole name became their own token. */
    private static List<Found> taken(Encoding encoding, List<Found> commands, int[] starts, int[] ends) {
        long[] ids = encoding.getIds();
        CharSpan[] spans = encoding.getCharTokenSpans();
        List<Found> taken = new ArrayList<>(commands.size());
        int next = 0;
        for (int i = 0; i < ids.length && next < starts.length; i++) {
            CharSpan span = spans[i];
            while (span != null && next < starts.length && span.getStart() >= ends[next]) {
                next++;
            }
            if (span != null
                    && next < starts.length
                    && ids[i] == commands.get(next).token().id()
                    && span.getStart() <= starts[next]
                    && span.getEnd() >= ends[next]) {
                taken.add(commands.get(next++));
            }
        }
        return taken;
    }

    @Override
    public void close() {
        guarded.close();
    }
}

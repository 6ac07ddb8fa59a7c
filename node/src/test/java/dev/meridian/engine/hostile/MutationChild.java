package dev.meridian.engine.hostile;

import dev.meridian.engine.Engine;
import dev.meridian.engine.LoadedModel;
import dev.meridian.engine.ModelSettings;
import dev.meridian.engine.RecordingListener;
import dev.meridian.engine.SequenceRequest;
import dev.meridian.engine.bundle.Bundle;
import dev.meridian.engine.bundle.BundleException;
import dev.meridian.engine.bundle.VerifiedFiles;
import dev.meridian.engine.text.Encoded;
import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.ChatMessage;
import dev.meridian.protocol.Entry;
import dev.meridian.protocol.Generation;
import dev.meridian.protocol.Prompt;
import dev.meridian.protocol.Refusal;
import dev.meridian.protocol.Role;
import dev.meridian.protocol.Sampling;
import dev.meridian.protocol.TokenIds;
import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Loads damaged bundles, one after the other, and says in a file what became of each: {@code start seed kind} before, and
 * {@code seed refused|served|failed detail} after. A line {@code start} without the other is a death.
 */
final class MutationChild {
    private static final ModelSettings SETTINGS = new ModelSettings(1L << 28, 1, 64, 32, 4, 1);
    private static final Generation GENERATION =
            new Generation(new Sampling(0f, null, null, null, null, 0f, 0f, Map.of(), 1), 1, 4, List.of(), -1);
    private static final Prompt PROMPT =
            new Prompt.Chat(List.of(new ChatMessage(Role.USER, "What is the capital of Peru?")));

    private final Map<String, byte[]> whole = new HashMap<>();
    private final Path folder;
    /** What does not change is not read again for every seed, as in a node. */
    private final VerifiedFiles verified;
    /** A bundle for every set of files that change together, so that its other files never do. */
    private final Map<Set<String>, Path> bundles = new HashMap<>();

    private MutationChild(Path source, Path folder) throws IOException {
        this.folder = folder;
        this.verified = VerifiedFiles.at(folder.resolveSibling(folder.getFileName() + ".verified"), Clock.systemUTC());
        try (Stream<Path> files = Files.list(source)) {
            for (Path file : files.toList()) {
                whole.put(file.getFileName().toString(), Files.readAllBytes(file));
            }
        }
    }

    /** Arguments: whole bundle, empty folder, file for the lines, first seed, number of seeds. */
    public static void main(String[] arguments) throws IOException {
        long first = Long.parseLong(arguments[3]);
        long count = Long.parseLong(arguments[4]);
        MutationChild child = new MutationChild(Path.of(arguments[0]), Path.of(arguments[1]));
        try (Writer out = Files.newBufferedWriter(Path.of(arguments[2]))) {
            say(out, "whole " + child.attempt(Map.of()));
            for (long seed = first; seed < first + count; seed++) {
                Mutation mutation = Mutation.of(seed, child.whole);
                say(out, "start " + seed + " " + mutation.kind());
                say(out, seed + " " + (mutation.harmless() ? "same " : "") + child.attempt(mutation.files()));
            }
            say(out, "end " + peakBytes());
        }
    }

    private static void say(Writer out, String line) throws IOException {
        // Messages quote what the bundle says, which need not be text.
        out.write(line.replaceAll("[^ -~]", "?") + "\n");
        out.flush();
    }

    /** The most memory that this process ever had; -1 where the system does not say. */
    private static long peakBytes() throws IOException {
        Path status = Path.of("/proc/self/status");
        if (!Files.isReadable(status)) {
            return -1;
        }
        return Files.readString(status, StandardCharsets.ISO_8859_1)
                .lines()
                .filter(line -> line.startsWith("VmHWM:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
                .findFirst()
                .orElse(-1);
    }

    /** The bundle with other files in the place of its own, or beside them. */
    private String attempt(Map<String, byte[]> files) throws IOException {
        Path bundle = bundles.get(files.keySet());
        if (bundle == null) {
            bundle = Files.createDirectory(folder.resolve(Integer.toString(bundles.size())));
            bundles.put(Set.copyOf(files.keySet()), bundle);
            write(whole, bundle);
        }
        write(files, bundle);
        try (LoadedModel model = LoadedModel.open(Bundle.open(bundle), SETTINGS, verified)) {
            return served(model);
        } catch (BundleException e) {
            return "refused " + e.getMessage();
        } catch (RuntimeException | Error e) {
            return "failed " + files.keySet() + " " + e + " at "
                    + Stream.of(e.getStackTrace()).limit(3).toList();
        }
    }

    private static void write(Map<String, byte[]> files, Path bundle) throws IOException {
        for (Map.Entry<String, byte[]> file : files.entrySet()) {
            Path path = bundle.resolve(file.getKey());
            // Some file systems wait for the disk where a file is written over.
            Files.deleteIfExists(path);
            Files.write(path, file.getValue());
        }
    }

    private static String served(LoadedModel model) {
        return switch (model.encode(PROMPT)) {
            case Encoded.Refused refused -> "refused the prompt: " + refused.reason();
            case Encoded.Ids ids -> generated(model, ids.ids());
        };
    }

    private static String generated(LoadedModel model, TokenIds prompt) {
        Attempt attempt = new Attempt("hostile", 1);
        RecordingListener listener = new RecordingListener();
        Engine engine = model.start(listener, System::nanoTime);
        var request = new SequenceRequest(attempt, 0, prompt, TokenIds.empty(), GENERATION, Long.MAX_VALUE / 2);
        Optional<Refusal> refusal = engine.submit(List.of(request));
        if (refusal.isPresent()) {
            return "refused the sequence: " + refusal.get();
        }
        try {
            listener.await("an end", () -> listener.finished(attempt, 0) || listener.refused(attempt));
        } catch (AssertionError e) {
            return "stopped " + listener.failures();
        }
        if (listener.refused(attempt)) {
            return "refused the sequence: " + listener.awaitRefusal(attempt);
        }
        return "served "
                + listener.entries(attempt, 0).stream()
                        .map(Entry::tokenId)
                        .map(String::valueOf)
                        .collect(Collectors.joining(" "));
    }
}

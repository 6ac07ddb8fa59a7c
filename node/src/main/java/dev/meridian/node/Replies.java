package dev.meridian.node;

import dev.meridian.engine.Engine;
import dev.meridian.engine.SequenceRequest;
import dev.meridian.engine.StepListener;
import dev.meridian.engine.text.Encoded;
import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.ChatMessage;
import dev.meridian.protocol.Entry;
import dev.meridian.protocol.FinishReason;
import dev.meridian.protocol.Generation;
import dev.meridian.protocol.Prompt;
import dev.meridian.protocol.Refusal;
import dev.meridian.protocol.Sampling;
import dev.meridian.protocol.TokenIds;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Function;
import org.jline.terminal.Terminal;
import org.jspecify.annotations.Nullable;

/** Asks an engine of this process and prints its replies as they come. One reply at a time, by one thread. */
final class Replies implements StepListener {
    private static final long NEVER = Long.MAX_VALUE / 2;

    private sealed interface Event {
        record Token(Entry entry) implements Event {}

        record Ended(String why) implements Event {}
    }

    /**
     * What came of a question.
     *
     * @param complete false where it was stopped or refused
     * @param summary length and speed, or what went wrong
     */
    record Reply(String text, boolean complete, String summary) {}

    private final Function<Prompt, Encoded> encoder;
    private final Engine engine;
    private final @Nullable Float temperature;
    private final @Nullable Long seed;
    private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();
    private int asked;

    /** Starts the engine with this as its listener; whoever gave {@code startEngine} closes it. */
    Replies(
            Function<Prompt, Encoded> encoder,
            Function<StepListener, Engine> startEngine,
            @Nullable Float temperature,
            @Nullable Long seed) {
        this.encoder = encoder;
        this.temperature = temperature;
        this.seed = seed;
        engine = startEngine.apply(this);
    }

    /** Prints the reply to the last message while it is made. Ctrl-C in the terminal stops it. */
    Reply to(List<ChatMessage> talk, Terminal terminal, PrintWriter out) throws InterruptedException {
        return switch (encoder.apply(new Prompt.Chat(talk))) {
            case Encoded.Refused(Refusal reason) -> new Reply("", false, "[" + Refusals.sentence(reason) + "]");
            case Encoded.Ids(TokenIds ids) -> ask(ids, terminal, out);
        };
    }

    private Reply ask(TokenIds prompt, Terminal terminal, PrintWriter out) throws InterruptedException {
        Attempt attempt = new Attempt("chat-" + ++asked, 1);
        events.clear();
        Terminal.SignalHandler before = terminal.handle(Terminal.Signal.INT, _ -> {
            engine.cancel(attempt);
            events.add(new Event.Ended("stopped"));
        });
        try {
            long start = System.nanoTime();
            var refusal = engine.submit(
                    List.of(new SequenceRequest(attempt, 0, prompt, TokenIds.empty(), generation(), NEVER)));
            if (refusal.isPresent()) {
                return new Reply("", false, "[" + Refusals.sentence(refusal.get()) + "]");
            }
            return print(out, start);
        } finally {
            terminal.handle(Terminal.Signal.INT, before);
        }
    }

    private Reply print(PrintWriter out, long start) throws InterruptedException {
        StringBuilder text = new StringBuilder();
        long first = 0;
        int tokens = 0;
        while (true) {
            switch (events.take()) {
                case Event.Ended(String why) -> {
                    return new Reply(text.toString(), false, "[" + why + "]");
                }
                case Event.Token(Entry entry) -> {
                    first = tokens++ == 0 ? System.nanoTime() : first;
                    text.append(entry.text());
                    out.print(entry.text());
                    out.flush();
                    if (entry.finish() != null) {
                        return new Reply(text.toString(), true, summary(tokens, start, first, entry.finish()));
                    }
                }
            }
        }
    }

    private static String summary(int tokens, long start, long first, FinishReason finish) {
        long now = System.nanoTime();
        String speed = tokens < 2 ? "" : String.format(Locale.ROOT, ", %.0f tok/s", (tokens - 1) * 1e9 / (now - first));
        String count = tokens == 1 ? "1 token" : tokens + " tokens";
        String cut = finish == FinishReason.LENGTH ? "; cut off: the model's context is full, /new starts another" : "";
        return String.format(Locale.ROOT, "[%s%s, first after %.0f ms%s]", count, speed, (first - start) / 1e6, cut);
    }

    private Generation generation() {
        long drawn = seed != null ? seed : ThreadLocalRandom.current().nextLong();
        Sampling sampling = new Sampling(temperature, null, null, null, null, 0f, 0f, Map.of(), drawn);
        return new Generation(sampling, 1, 0, List.of(), -1);
    }

    @Override
    public void onStep(long step, List<Entry> entries) {
        entries.forEach(entry -> {
            if (entry.attempt().requestId().equals("chat-" + asked)) {
                events.add(new Event.Token(entry));
            }
        });
    }

    @Override
    public void onRefused(Attempt attempt, Refusal reason) {
        events.add(new Event.Ended(Refusals.sentence(reason)));
    }

    @Override
    public void onFailed(Throwable cause) {
        events.add(new Event.Ended(Refusals.sentence(new Refusal.EngineFailed(cause.toString()))));
    }
}

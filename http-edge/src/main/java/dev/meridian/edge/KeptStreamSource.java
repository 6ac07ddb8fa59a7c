package dev.meridian.edge;

import dev.meridian.edge.openai.SseWriter;
import dev.meridian.edge.stream.JournalRead;
import dev.meridian.edge.stream.JournalReader;
import dev.meridian.protocol.message.ResumeMessage;
import dev.meridian.protocol.message.ResumeMessage.Next;
import dev.meridian.protocol.message.ResumeMessage.Piece;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Queue;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Terminated;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/** Reads a stream that is kept here for a client at another edge: a piece for each one that is asked for. Ends with either. */
final class KeptStreamSource {
    /** Of one message, far below the transport's frame size. */
    private static final int PIECE_CHARS = 16_384;

    private sealed interface Command {}

    private record FromReader(ResumeMessage message) implements Command {}

    private enum Ready implements Command {
        NOW
    }

    private final JournalReader journal;
    private final SseWriter writer;
    private final ActorRef<ResumeMessage> reader;
    private final Queue<String> pieces = new ArrayDeque<>();
    private boolean asked;
    private boolean ended;

    private KeptStreamSource(JournalReader journal, SseWriter writer, ActorRef<ResumeMessage> reader) {
        this.journal = journal;
        this.writer = writer;
        this.reader = reader;
    }

    /**
     * A source.
     *
     * @param reader is told of it by whoever spawns it
     */
    static Behavior<ResumeMessage> create(JournalReader journal, SseWriter writer, ActorRef<ResumeMessage> reader) {
        Behavior<Command> source = Behaviors.setup(context -> {
            KeptStreamSource created = new KeptStreamSource(journal, writer, reader);
            return created.reading(context);
        });
        return Behaviors.transformMessages(
                ResumeMessage.class, source, builder -> builder.match(ResumeMessage.class, FromReader::new));
    }

    private Behavior<Command> reading(ActorContext<Command> context) {
        ActorRef<Command> self = context.getSelf();
        context.watch(reader);
        journal.onReady(() -> self.tell(Ready.NOW));
        return Behaviors.receive(
                (_, command) -> {
                    if (command instanceof FromReader(Next _)) {
                        asked = true;
                    }
                    return giveIfAsked() ? Behaviors.stopped() : Behaviors.same();
                },
                (_, signal) -> {
                    if (signal instanceof Terminated) {
                        journal.discard();
                        return Behaviors.stopped();
                    }
                    return Behaviors.same();
                });
    }

    /** True where the last piece has gone. */
    private boolean giveIfAsked() {
        while (asked && pieces.isEmpty() && !ended) {
            JournalRead read = journal.take();
            ended = read.end() != null;
            cut(new String(writer.write(read), StandardCharsets.UTF_8));
            if (read.entries().isEmpty() && !ended) {
                return false;
            }
        }
        if (asked && (ended || !pieces.isEmpty())) {
            asked = false;
            String piece = pieces.isEmpty() ? "" : pieces.remove();
            reader.tell(new Piece(piece, ended && pieces.isEmpty()));
            return ended && pieces.isEmpty();
        }
        return false;
    }

    private void cut(String text) {
        for (int at = 0; at < text.length(); ) {
            int end = Math.min(at + PIECE_CHARS, text.length());
            // Never between the two halves of a character.
            end -= end < text.length() && Character.isHighSurrogate(text.charAt(end - 1)) ? 1 : 0;
            pieces.add(text.substring(at, end));
            at = end;
        }
    }
}

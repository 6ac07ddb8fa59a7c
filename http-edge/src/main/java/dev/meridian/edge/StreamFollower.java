package dev.meridian.edge;

import dev.meridian.protocol.message.ResumeMessage;
import dev.meridian.protocol.message.ResumeMessage.Follow;
import dev.meridian.protocol.message.ResumeMessage.Following;
import dev.meridian.protocol.message.ResumeMessage.Next;
import dev.meridian.protocol.message.ResumeMessage.NotKept;
import dev.meridian.protocol.message.ResumeMessage.Piece;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeoutException;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Terminated;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.japi.Pair;
import org.apache.pekko.stream.Attributes;
import org.apache.pekko.stream.Materializer;
import org.apache.pekko.stream.OverflowStrategy;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.stream.javadsl.SourceQueueWithComplete;
import org.apache.pekko.util.ByteString;

/** Reads for a client of this edge what another edge keeps: asks for the next piece when its client has room for it. */
final class StreamFollower {
    private sealed interface Command {}

    private record FromKeeper(ResumeMessage message) implements Command {}

    private enum Own implements Command {
        TAKEN,
        CLIENT_GONE,
        NO_ANSWER
    }

    /** What the other edge gives. */
    record Followed(String servedBy, Source<ByteString, NotUsed> events) {}

    /** Nobody there keeps the stream for this caller. */
    static final class NotKeptException extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    private final ActorContext<Command> context;
    private final CompletableFuture<Followed> answer;
    private final SourceQueueWithComplete<ByteString> queue;
    private final Source<ByteString, NotUsed> events;

    private StreamFollower(
            ActorContext<Command> context, CompletableFuture<Followed> answer, Materializer materializer) {
        this.context = context;
        this.answer = answer;
        Pair<SourceQueueWithComplete<ByteString>, Source<ByteString, NotUsed>> pair = Source.<ByteString>queue(
                        1, OverflowStrategy.backpressure())
                // Pieces are large: they wait where the stream is kept, and not here.
                .addAttributes(Attributes.inputBuffer(1, 1))
                .preMaterialize(materializer);
        queue = pair.first();
        events = pair.second();
    }

    /**
     * A follower.
     *
     * @param keeper the other edge's
     * @param answer completes with the events, or with {@link NotKeptException}, or a TimeoutException
     */
    static Behavior<ResumeMessage> create(
            ActorRef<ResumeMessage> keeper,
            String stream,
            String owner,
            long after,
            Duration patience,
            CompletableFuture<Followed> answer,
            Materializer materializer) {
        Behavior<Command> follower = Behaviors.setup(context -> Behaviors.withTimers(timers -> {
            StreamFollower created = new StreamFollower(context, answer, materializer);
            keeper.tell(new Follow(stream, owner, after, context.getSelf().unsafeUpcast()));
            timers.startSingleTimer(Own.NO_ANSWER, patience);
            return created.waiting();
        }));
        return Behaviors.transformMessages(
                ResumeMessage.class, follower, builder -> builder.match(ResumeMessage.class, FromKeeper::new));
    }

    private Behavior<Command> waiting() {
        return Behaviors.receiveMessage(command -> switch (command) {
            case FromKeeper(Following(String servedBy, ActorRef<ResumeMessage> source)) -> {
                ActorRef<Command> self = context.getSelf();
                queue.watchCompletion().whenComplete((_, _) -> self.tell(Own.CLIENT_GONE));
                context.watch(source);
                source.tell(new Next());
                answer.complete(new Followed(servedBy, events));
                yield following(source);
            }
            case FromKeeper(NotKept _) -> failed(new NotKeptException());
            case Own.NO_ANSWER -> failed(new TimeoutException("no answer from the edge"));
            case FromKeeper _, Own _ -> Behaviors.same();
        });
    }

    private Behavior<Command> failed(Exception why) {
        queue.complete();
        answer.completeExceptionally(why);
        return Behaviors.stopped();
    }

    private Behavior<Command> following(ActorRef<ResumeMessage> source) {
        return Behaviors.receive(
                (_, command) -> switch (command) {
                    case FromKeeper(Piece(String text, boolean last)) -> {
                        context.pipeToSelf(queue.offer(ByteString.fromString(text)), (_, _) -> Own.TAKEN);
                        if (last) {
                            queue.complete();
                        }
                        yield last ? Behaviors.stopped() : Behaviors.same();
                    }
                    case Own.TAKEN -> {
                        source.tell(new Next());
                        yield Behaviors.same();
                    }
                    case Own.CLIENT_GONE -> Behaviors.stopped();
                    case FromKeeper _, Own _ -> Behaviors.same();
                },
                (_, signal) -> {
                    if (signal instanceof Terminated) {
                        // The client's connection breaks off, and it may ask again.
                        queue.fail(new IllegalStateException("the edge that kept the stream is gone"));
                        return Behaviors.stopped();
                    }
                    return Behaviors.same();
                });
    }
}

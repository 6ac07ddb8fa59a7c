package dev.meridian.edge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.meridian.protocol.message.ResumeMessage;
import dev.meridian.protocol.message.ResumeMessage.Follow;
import dev.meridian.protocol.message.ResumeMessage.Following;
import dev.meridian.protocol.message.ResumeMessage.Next;
import dev.meridian.protocol.message.ResumeMessage.NotKept;
import dev.meridian.protocol.message.ResumeMessage.Piece;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeoutException;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.stream.Attributes;
import org.apache.pekko.stream.SystemMaterializer;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.SinkQueueWithCancel;
import org.apache.pekko.util.ByteString;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class StreamFollowerTest {
    private final ActorTestKit kit = ActorTestKit.create();
    private final TestProbe<ResumeMessage> keeper = kit.createTestProbe();
    private final TestProbe<ResumeMessage> source = kit.createTestProbe();
    private final CompletableFuture<StreamFollower.Followed> answer = new CompletableFuture<>();

    @AfterEach
    void stop() {
        kit.shutdownTestKit();
    }

    /** The reader that the keeper hears of. */
    private ActorRef<ResumeMessage> reader(Duration patience) {
        kit.spawn(StreamFollower.create(
                keeper.getRef(),
                "node-1~x",
                "local",
                7,
                patience,
                answer,
                SystemMaterializer.get(kit.system()).materializer()));
        Follow follow = keeper.expectMessageClass(Follow.class);
        assertThat(follow).isEqualTo(new Follow("node-1~x", "local", 7, follow.reader()));
        return follow.reader();
    }

    private SinkQueueWithCancel<ByteString> client(ActorRef<ResumeMessage> reader) {
        reader.tell(new Following("eu/node-1/r", source.getRef()));
        StreamFollower.Followed followed = answer.join();
        assertThat(followed.servedBy()).isEqualTo("eu/node-1/r");
        return followed.events()
                .runWith(Sink.<ByteString>queue().addAttributes(Attributes.inputBuffer(1, 1)), kit.system());
    }

    private static String pull(SinkQueueWithCancel<ByteString> client) {
        return EdgeFixture.await(client.pull()).map(ByteString::utf8String).orElse("the end");
    }

    @Test
    void piecesAreAskedForAsTheClientTakesThem() {
        ActorRef<ResumeMessage> reader = reader(Duration.ofMinutes(1));
        SinkQueueWithCancel<ByteString> client = client(reader);
        int given = 0;
        while (given < 20) {
            try {
                source.expectMessage(Duration.ofMillis(200), new Next());
            } catch (AssertionError e) {
                break;
            }
            reader.tell(new Piece(given++ + ";", false));
        }
        assertThat(given).as("pieces that wait for a client that takes nothing").isBetween(1, 12);
        for (int i = 0; i < given; i++) {
            assertThat(pull(client)).isEqualTo(i + ";");
        }
        source.expectMessage(new Next());
        reader.tell(new Piece("last", true));
        assertThat(pull(client)).isEqualTo("last");
        assertThat(pull(client)).isEqualTo("the end");
    }

    @Test
    void aClientThatLeavesEndsTheReader() {
        ActorRef<ResumeMessage> reader = reader(Duration.ofMinutes(1));
        client(reader).cancel();
        source.expectTerminated(reader);
    }

    @Test
    void anEdgeThatDiesBreaksTheClientsConnection() {
        SinkQueueWithCancel<ByteString> client = client(reader(Duration.ofMinutes(1)));
        source.stop();
        assertThatThrownBy(() -> EdgeFixture.await(client.pull()))
                .hasRootCauseMessage("the edge that kept the stream is gone");
    }

    @Test
    void whatIsNotKeptIsSaid() {
        reader(Duration.ofMinutes(1)).tell(new NotKept());
        assertThatThrownBy(() -> EdgeFixture.await(answer))
                .hasRootCauseInstanceOf(StreamFollower.NotKeptException.class);
    }

    @Test
    void anEdgeThatDoesNotAnswerIsNotWaitedForLong() {
        reader(Duration.ofMillis(20));
        assertThatThrownBy(() -> EdgeFixture.await(answer)).hasRootCauseInstanceOf(TimeoutException.class);
    }
}

package dev.meridian.node;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.meridian.engine.Engine;
import dev.meridian.engine.StepListener;
import dev.meridian.engine.text.Encoded;
import dev.meridian.protocol.TokenIds;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.function.Function;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class NodeTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final NodeSettings settings = NodeSettings.load(null, Map.of());
    private final ActorTestKit actors = ActorTestKit.create("node-test", settings.root());

    @AfterEach
    void stopActors() {
        actors.shutdownTestKit();
    }

    private void host(Function<StepListener, Engine> startEngine, Duration patience) {
        Node.host(
                actors.system(),
                settings.host(),
                "little",
                _ -> new Encoded.Ids(TokenIds.empty()),
                startEngine,
                patience);
    }

    @Test
    void anEngineThatDoesNotStartIsNamedAtOnce() {
        assertThatThrownBy(() -> host(
                        _ -> {
                            throw new IllegalStateException("it has an engine already");
                        },
                        PATIENCE))
                .isInstanceOf(CommandFailed.class)
                .hasMessage("model little does not start: it has an engine already");
    }

    @Test
    void anActorThatDoesNotAnswerIsNamed() {
        CountDownLatch stuck = new CountDownLatch(1);
        assertThatThrownBy(() -> host(
                        _ -> {
                            awaitQuietly(stuck);
                            throw new IllegalStateException("too late");
                        },
                        Duration.ofSeconds(1)))
                .isInstanceOf(CommandFailed.class)
                .hasMessage("model little does not start: no answer from its actor within 1 s");
        stuck.countDown();
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}

package dev.meridian.protocol.wire;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.protocol.message.ReplicaCommand;
import dev.meridian.protocol.message.StreamEvent.Heartbeat;
import java.io.NotSerializableException;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.MethodSource;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class WireRoundTripTest {
    static final List<Long> SEEDS =
            IntStream.range(0, 200).mapToObj(Long::valueOf).toList();

    private final WireFixture fixture = new WireFixture();
    private final WireSamples samples = new WireSamples(fixture);

    @AfterAll
    void shutdown() {
        fixture.close();
    }

    List<Object> full() {
        return samples.full();
    }

    List<Object> minimal() {
        return samples.minimal();
    }

    @ParameterizedTest
    @MethodSource({"full", "minimal"})
    void aMessageComesBackAsItWas(Object message) throws NotSerializableException {
        assertThat(fixture.read(fixture.write(message), message)).isEqualTo(message);
        assertThat(fixture.throughBuffer(message)).isEqualTo(message);
    }

    @ParameterizedTest
    @FieldSource("SEEDS")
    void anyMessageComesBackAsItWas(long seed) throws NotSerializableException {
        for (Object message : new RandomMessages(seed, fixture).all()) {
            byte[] bytes = fixture.write(message);

            assertThat(fixture.read(bytes, message)).as("seed %d", seed).isEqualTo(message);
            assertThat(fixture.write(fixture.read(bytes, message)))
                    .as("seed %d", seed)
                    .isEqualTo(bytes);
        }
    }

    @Test
    void aReferenceReachesItsActor() throws NotSerializableException {
        TestProbe<ReplicaCommand> probe = fixture.kit.createTestProbe();
        Heartbeat sent = new Heartbeat(probe.getRef(), 1, List.of());

        Heartbeat got = (Heartbeat) fixture.read(fixture.write(sent), sent);
        ReplicaCommand command = new ReplicaCommand.Cancel(WireSamples.attempt(1));
        got.producer().tell(command);

        assertThat(got.producer()).isEqualTo(probe.getRef());
        probe.expectMessage(command);
    }

    @Test
    void manyThreadsWriteAndReadAtATime() throws Exception {
        List<Object> messages = samples.full();
        List<byte[]> expected = messages.stream().map(fixture::write).toList();
        Callable<Boolean> rounds = () -> {
            for (int round = 0; round < 200; round++) {
                for (int i = 0; i < messages.size(); i++) {
                    assertThat(fixture.write(messages.get(i))).isEqualTo(expected.get(i));
                    assertThat(fixture.read(expected.get(i).clone(), messages.get(i)))
                            .isEqualTo(messages.get(i));
                }
            }
            return true;
        };

        try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
            List<Future<Boolean>> all = threads.invokeAll(
                    IntStream.range(0, 8).mapToObj(_ -> rounds).toList());
            for (Future<Boolean> each : all) {
                assertThat(each.get()).isTrue();
            }
        }
    }
}

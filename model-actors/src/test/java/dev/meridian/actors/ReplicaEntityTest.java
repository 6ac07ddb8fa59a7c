package dev.meridian.actors;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.actors.HeldReplicas.Held;
import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.Generation;
import dev.meridian.protocol.Prompt;
import dev.meridian.protocol.Refusal;
import dev.meridian.protocol.Sampling;
import dev.meridian.protocol.TokenIds;
import dev.meridian.protocol.cluster.ModelInfo;
import dev.meridian.protocol.cluster.ReplicaId;
import dev.meridian.protocol.cluster.ReplicaState;
import dev.meridian.protocol.cluster.Residency;
import dev.meridian.protocol.message.ReplicaCommand;
import dev.meridian.protocol.message.ReplicaCommand.Cancel;
import dev.meridian.protocol.message.ReplicaCommand.Submit;
import dev.meridian.protocol.message.StreamEvent;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.cluster.sharding.typed.ShardingEnvelope;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class ReplicaEntityTest {
    private static final ReplicaId ID = new ReplicaId("eu", "letters", "0123456789ab", 1);
    private static final ModelInfo MODEL =
            new ModelInfo("letters", "0123456789ab", 100, 100, 0, "none", 1, Residency.ANYWHERE);
    private static final long NOW = 1_000;

    private final ActorTestKit kit = ActorTestKit.create();
    private final TestProbe<ReplicaCommand> here = kit.createTestProbe();
    private final TestProbe<ReplicaCommand> there = kit.createTestProbe();
    private final TestProbe<StreamEvent> edge = kit.createTestProbe();
    private final HeldReplicas held = new HeldReplicas(() -> 0);
    private final AtomicReference<Optional<ActorRef<ReplicaCommand>>> elsewhere =
            new AtomicReference<>(Optional.empty());
    private final ActorRef<ReplicaCommand> entity =
            kit.spawn(ReplicaEntity.create(ID, held, _ -> elsewhere.get(), () -> Instant.ofEpochMilli(NOW)));

    @AfterEach
    void shutdown() {
        kit.shutdownTestKit();
    }

    private Submit submit(long deadline) {
        return new Submit(
                new Attempt("r", 1),
                "letters",
                3,
                new Prompt.Text("hello"),
                new Generation(Sampling.greedy(), 1, 0, List.of(), -1),
                List.of(TokenIds.empty()),
                List.of(false),
                0,
                deadline,
                edge.getRef());
    }

    private void hold(ReplicaState state) {
        held.set(List.of(new Held(ID, 3, state, MODEL, 1, null, here.getRef())));
    }

    @Test
    void theHostOfItsNodeGetsWhatComes() {
        hold(ReplicaState.READY);
        elsewhere.set(Optional.of(there.getRef()));
        entity.tell(submit(NOW + 1));
        here.expectMessage(submit(NOW + 1));
        entity.tell(new Cancel(new Attempt("r", 1)));
        here.expectMessage(new Cancel(new Attempt("r", 1)));
        there.expectNoMessage();
    }

    @ParameterizedTest
    @EnumSource(
            value = ReplicaState.class,
            names = {"STANDBY", "DRAINING"})
    void whatItsNodeDoesNotServeGoesWhereItIsServed(ReplicaState state) {
        hold(state);
        elsewhere.set(Optional.of(there.getRef()));
        entity.tell(submit(NOW + 1));
        there.expectMessage(submit(NOW + 1));
        here.expectNoMessage();
    }

    @Test
    void aChangeOfWhatIsHeldIsTold() {
        AtomicInteger changes = new AtomicInteger();
        held.onChange(changes::incrementAndGet);
        hold(ReplicaState.STANDBY);
        hold(ReplicaState.STANDBY);
        hold(ReplicaState.READY);
        held.set(List.of());
        assertThat(changes).hasValue(3);
    }

    @Test
    void whatNobodyServesIsRefused() {
        entity.tell(new Cancel(new Attempt("r", 1)));
        entity.tell(submit(NOW + 1));
        edge.expectMessage(new StreamEvent.Refused(new Attempt("r", 1), new Refusal.ModelNotReady("letters")));
    }

    @Test
    void whatNobodyWaitsForIsRefused() {
        hold(ReplicaState.READY);
        entity.tell(submit(NOW));
        edge.expectMessage(new StreamEvent.Refused(new Attempt("r", 1), new Refusal.DeadlineExceeded()));
        here.expectNoMessage();
    }

    @Test
    void eachReplicaIsAShardOfItsOwn() {
        ShardingEnvelope<ReplicaCommand> envelope = new ShardingEnvelope<>(ID.toString(), submit(1));
        assertThat(ReplicaEntity.extractor().entityId(envelope)).isEqualTo("eu~letters~0123456789ab~1");
        assertThat(ReplicaEntity.extractor().shardId(ID.toString())).isEqualTo("eu~letters~0123456789ab~1");
        assertThat(ReplicaEntity.extractor().unwrapMessage(envelope)).isEqualTo(submit(1));
    }
}

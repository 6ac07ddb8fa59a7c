package dev.meridian.edge.stream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.protocol.Entry;
import dev.meridian.protocol.TokenIds;
import dev.meridian.protocol.message.ReplicaCommand;
import dev.meridian.protocol.message.ReplicaCommand.Resend;
import dev.meridian.protocol.message.ReplicaCommand.Submit;
import dev.meridian.protocol.message.StreamEvent;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Entries get lost, doubled and delayed, replicas fall silent, hand over, and forget attempts and entries; the client's text is whole all the same. */
final class EdgeMuxChaosTest {
    private static final int TOKENS = 25;
    private static final int MAX_ROUNDS = 3000;

    private final Random random = new Random();

    /** A replica that generates a fixed text and loses much of it on the way. */
    private final class LossyReplica {
        final Queue<ReplicaCommand> mail = new ConcurrentLinkedQueue<>();
        final ActorRef<ReplicaCommand> ref;

        @Nullable
        Submit current;

        int[] next = new int[0];
        long step;
        boolean silent;

        LossyReplica(MuxFixture fixture) {
            ref = fixture.kit.spawn(Behaviors.receiveMessage(command -> {
                mail.add(command);
                return Behaviors.same();
            }));
        }

        void takeMail() {
            for (ReplicaCommand command = mail.poll(); command != null; command = mail.poll()) {
                switch (command) {
                    case Submit submit -> {
                        current = submit;
                        next = new int[submit.generation().choices()];
                        for (int c = 0; c < next.length; c++) {
                            next[c] = submit.finished().get(c)
                                    ? TOKENS
                                    : submit.emitted().get(c).size();
                        }
                        submit.edge().tell(new StreamEvent.Accepted(submit.attempt(), ref, TokenIds.of(1, 2, 3)));
                    }
                    case ReplicaCommand.Cancel cancel -> {
                        if (current != null && cancel.attempt().equals(current.attempt())) {
                            current = null;
                        }
                    }
                    case Resend resend -> {
                        Submit asked = current;
                        if (asked != null && resend.attempt().equals(asked.attempt())) {
                            onResend(resend, asked);
                        }
                    }
                }
            }
        }

        private void onResend(Resend resend, Submit asked) {
            if (random.nextInt(4) == 0) {
                asked.edge()
                        .tell(new StreamEvent.EntriesForgotten(resend.attempt(), resend.choice(), resend.fromIndex()));
            } else {
                next[resend.choice()] = resend.fromIndex();
            }
        }

        void step() {
            Submit submit = current;
            if (submit == null || silent) {
                return;
            }
            List<Entry> entries = new ArrayList<>();
            for (int c = 0; c < next.length; c++) {
                if (next[c] < TOKENS) {
                    int index = next[c]++;
                    Entry entry = index == TOKENS - 1
                            ? MuxFixture.last(submit.attempt(), c, index, word(c, index))
                            : MuxFixture.entry(submit.attempt(), c, index, word(c, index));
                    int fate = random.nextInt(20);
                    if (fate > 0) {
                        entries.add(entry);
                    }
                    if (fate == 1) {
                        entries.add(entry);
                    }
                }
            }
            step++;
            submit.edge().tell(new StreamEvent.StepBatch(ref, step, entries));
            if (random.nextInt(20) == 0) {
                submit.edge().tell(new StreamEvent.HandOver(ref));
            }
            boolean live = Arrays.stream(next).anyMatch(n -> n < TOKENS);
            submit.edge().tell(new StreamEvent.Heartbeat(ref, step, live ? List.of(submit.attempt()) : List.of()));
        }
    }

    private static String word(int choice, int index) {
        return (char) ('a' + choice) + Integer.toString(index) + " ";
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
    void everyChoiceArrivesWholeAndOnce(long seed) {
        random.setSeed(seed);
        StreamSettings patient = new StreamSettings(
                MuxFixture.NEVER,
                MuxFixture.ACCEPT,
                MuxFixture.SILENCE,
                MuxFixture.STALL,
                1000,
                3,
                MuxFixture.REPLICA_WAIT,
                1000,
                3,
                1 << 20,
                1 << 20,
                MuxFixture.READER_STALL);
        try (MuxFixture fixture = new MuxFixture(patient)) {
            List<LossyReplica> replicas = List.of(new LossyReplica(fixture), new LossyReplica(fixture));
            fixture.directory.put("m", replicas.getFirst().ref);
            Journal journal = fixture.open("r", 2, 0).journal;
            StringBuilder[] texts = {new StringBuilder(), new StringBuilder()};
            StreamEnd end = null;
            for (int round = 0; end == null && round < MAX_ROUNDS; round++) {
                for (LossyReplica replica : replicas) {
                    replica.takeMail();
                    replica.step();
                    if (random.nextInt(30) == 0) {
                        replica.silent = !replica.silent;
                    }
                }
                if (random.nextInt(10) == 0) {
                    fixture.directory.put("m", replicas.get(random.nextInt(2)).ref);
                }
                fixture.pass(Duration.ofMillis(100));
                JournalRead read = journal.take();
                read.entries().forEach(entry -> texts[entry.choice()].append(entry.text()));
                end = read.end();
            }
            assertThat(end).as("seed %d", seed).isInstanceOf(StreamEnd.Finished.class);
            for (int choice = 0; choice < 2; choice++) {
                StringBuilder expected = new StringBuilder();
                for (int index = 0; index < TOKENS; index++) {
                    expected.append(word(choice, index));
                }
                assertThat(texts[choice].toString())
                        .as("seed %d, choice %d", seed, choice)
                        .isEqualTo(expected.toString());
            }
        }
    }
}

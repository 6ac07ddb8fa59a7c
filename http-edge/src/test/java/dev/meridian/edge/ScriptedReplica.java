package dev.meridian.edge;

import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.Entry;
import dev.meridian.protocol.FinishReason;
import dev.meridian.protocol.Timings;
import dev.meridian.protocol.TokenIds;
import dev.meridian.protocol.TokenLogprob;
import dev.meridian.protocol.message.ReplicaCommand;
import dev.meridian.protocol.message.ReplicaCommand.Submit;
import dev.meridian.protocol.message.StreamEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;

/**
 * A replica whose every word a test decides: it records what it is told and does, for each Submit, what its script
 * says. A token's id is its place in the vocabulary below, its text that word.
 */
public final class ScriptedReplica {
    /** What to do about a Submit; runs in the actor. */
    public interface Script {
        void onSubmit(Submit submit, ActorRef<ReplicaCommand> self);
    }

    private final BlockingQueue<ReplicaCommand> received = new LinkedBlockingQueue<>();
    private volatile Script script;

    public ScriptedReplica(Script script) {
        this.script = script;
    }

    public Behavior<ReplicaCommand> behavior() {
        return Behaviors.setup(context -> Behaviors.receiveMessage(command -> {
            if (command instanceof Submit submit) {
                script.onSubmit(submit, context.getSelf());
            }
            // Last, so that a test that saw a Submit knows that its script has run.
            received.add(command);
            return Behaviors.same();
        }));
    }

    public void setScript(Script newScript) {
        script = newScript;
    }

    /** The next command of that type, within some seconds; others are dropped. */
    public <T extends ReplicaCommand> T expect(Class<T> type) {
        try {
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
            while (true) {
                ReplicaCommand next = received.poll(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
                if (next == null) {
                    throw new AssertionError("no " + type.getSimpleName() + " within 10 s");
                }
                if (type.isInstance(next)) {
                    return type.cast(next);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    /** What has arrived and was not yet taken. */
    public List<ReplicaCommand> drain() {
        List<ReplicaCommand> all = new ArrayList<>();
        received.drainTo(all);
        return all;
    }

    /** Accepts with a prompt of {@code promptTokens} ids 1, 2, 3, … */
    public static void accept(Submit submit, ActorRef<ReplicaCommand> producer, int promptTokens) {
        int[] ids = new int[promptTokens];
        for (int i = 0; i < promptTokens; i++) {
            ids[i] = i + 1;
        }
        submit.edge().tell(new StreamEvent.Accepted(submit.attempt(), producer, TokenIds.of(ids)));
    }

    public static void batch(Submit submit, ActorRef<ReplicaCommand> producer, long step, Entry... entries) {
        submit.edge().tell(new StreamEvent.StepBatch(producer, step, List.of(entries)));
    }

    /** Accepts and sends all words, one step each, for every choice; the last of each ends the choice. */
    public static Script saying(String... words) {
        return (submit, self) -> {
            accept(submit, self, 3);
            for (int index = 0; index < words.length; index++) {
                Entry[] entries = new Entry[submit.generation().choices()];
                for (int choice = 0; choice < entries.length; choice++) {
                    entries[choice] = entry(submit, choice, index, words[index], index == words.length - 1);
                }
                batch(submit, self, index, entries);
            }
        };
    }

    public static Entry entry(Submit submit, int choice, int index, String text, boolean last) {
        boolean logprobs = submit.generation().topLogprobs() >= 0;
        return entry(
                submit.attempt(),
                choice,
                index,
                text,
                last ? FinishReason.STOP : null,
                logprobs,
                submit.generation().topLogprobs());
    }

    public static Entry entry(
            Attempt attempt,
            int choice,
            int index,
            String text,
            @Nullable FinishReason finish,
            boolean logprobs,
            int top) {
        List<TokenLogprob> alternatives = new ArrayList<>();
        for (int i = 0; i < top; i++) {
            alternatives.add(i == 0 ? logprob(text, -0.5f) : logprob("alt" + i, -1f - i));
        }
        return new Entry(
                attempt,
                choice,
                index,
                100 + index,
                text,
                logprobs ? logprob(text, -0.5f) : null,
                alternatives,
                finish,
                finish == null && index > 0 ? null : new Timings(1_000, 20_000, 300_000, 2));
    }

    private static TokenLogprob logprob(String text, float value) {
        StringBuilder hex = new StringBuilder();
        for (byte b : text.getBytes(java.nio.charset.StandardCharsets.UTF_8)) {
            hex.append("%02x".formatted(b));
        }
        return new TokenLogprob(7, text, hex.toString(), value);
    }
}

package dev.meridian.edge.stream;

import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.Entry;
import dev.meridian.protocol.Prompt;
import dev.meridian.protocol.Timings;
import dev.meridian.protocol.TokenIds;
import dev.meridian.protocol.message.ReplicaCommand;
import dev.meridian.protocol.message.StreamEvent;
import dev.meridian.protocol.message.StreamEvent.Accepted;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * What the mux knows of one running request: the current attempt and its producer, and per choice which token comes
 * next. Owned by the mux actor. Times are the mux's clock in nanoseconds.
 */
final class LiveStream {
    /** What an entry is to the stream. */
    enum Verdict {
        NEXT,
        /** Seen before, or behind the choice's end. */
        DUPLICATE,
        /** An earlier entry of this choice is missing. */
        GAP,
        /** Of another attempt or producer: nobody wants it. */
        FOREIGN
    }

    /** When to try again, and after what. */
    record Retry(long at, AttemptEnd.Refused after) {}

    final StreamRequest request;
    final Journal journal;
    final Opener opener;
    final StreamMetrics.OfModel meters;
    final long deadlineAt;

    Attempt attempt;
    ResidencyGate.Passage passage;
    ActorRef<ReplicaCommand> replica;

    @Nullable
    ActorRef<ReplicaCommand> producer;

    @Nullable
    TokenIds promptIds;

    /** Attempts since the last new token, the current one among them: tokens show that the ones before were worth it. */
    int barrenAttempts = 1;

    boolean opened;

    /** Entries of the current attempt came before its Accepted, and were not taken. */
    boolean heardEarly;

    long submittedAt;
    /** When anything last said that the current attempt is alive. */
    long aliveAt;
    /** Entries were appended in the batch at hand, and the reader has not been told yet. */
    boolean touched;

    /** Since when its replica is gone and no other is there; -1 where it has one. */
    long lostAt = -1;

    /** Set while a later attempt that was refused waits for its next one. */
    @Nullable
    Retry retry;

    private final int[] next;
    private final int[][] emitted;
    private final boolean[] finished;
    private final long[] lastEntryAt;
    private final int[] askedFrom;
    private int unfinished;
    /** Tokens that may still come, of all choices. */
    private long remaining;

    private int tokensPerChoice;
    int resends;

    private long firstEntryAt;
    /** What the engine said of the request's first token. */
    private @Nullable Timings firstToken;

    LiveStream(
            StreamRequest request,
            Journal journal,
            Opener opener,
            ResidencyGate.Passage passage,
            StreamMetrics.OfModel meters,
            long now) {
        this.request = request;
        this.meters = meters;
        this.journal = journal;
        this.opener = opener;
        this.passage = passage;
        replica = passage.host();
        deadlineAt = now + request.timeLimit().toNanos();
        attempt = new Attempt(request.id(), opener.attempts() + 1);
        submittedAt = now;
        aliveAt = now;
        int choices = request.generation().choices();
        next = new int[choices];
        emitted = new int[choices][0];
        finished = new boolean[choices];
        lastEntryAt = new long[choices];
        askedFrom = new int[choices];
        Arrays.fill(askedFrom, -1);
        unfinished = choices;
        tokensPerChoice = request.maxTokensPerChoice();
        remaining = (long) choices * tokensPerChoice;
    }

    void accept(Accepted accepted, long now) {
        producer = accepted.producer();
        replica = producer; // A first attempt may have found another host than the one that was chosen for it.
        if (promptIds == null) {
            int room =
                    Math.max(0, request.contextTokens() - accepted.promptIds().size());
            tokensPerChoice = request.maxTokensPerChoice(room);
            remaining = (long) next.length * tokensPerChoice;
            journal.expectAtMost(request.journalBytes(remaining));
        }
        promptIds = accepted.promptIds();
        aliveAt = now;
    }

    Verdict judge(Entry entry, ActorRef<ReplicaCommand> from) {
        if (!entry.attempt().equals(attempt) || (producer != null && !from.equals(producer))) {
            return Verdict.FOREIGN;
        }
        int choice = entry.choice();
        if (choice >= next.length || finished[choice] || entry.index() < next[choice]) {
            return Verdict.DUPLICATE;
        }
        if (producer == null || entry.index() > next[choice]) {
            return Verdict.GAP;
        }
        return Verdict.NEXT;
    }

    boolean awaitsFirstToken() {
        return firstToken == null;
    }

    /** Appends the next entry of its choice to the journal; with the end, if it is the last one of all. */
    void take(Entry entry, long now) {
        if (firstToken == null) {
            firstEntryAt = now;
            firstToken = entry.timings() == null ? new Timings(0, 0, 0, 0) : entry.timings();
        }
        remember(entry);
        if (allFinished()) {
            journal.append(entry, new StreamEnd.Finished(timings(firstToken, now), cachedTokens(firstToken)));
        } else {
            journal.append(entry, request.journalBytes(remaining));
        }
    }

    /** Never more than the prompt has, whatever a producer says. */
    private int cachedTokens(Timings first) {
        return promptIds == null ? 0 : Math.min(first.cachedTokens(), promptIds.size());
    }

    private ReplyTimings timings(Timings first, long now) {
        long firstTokenMicros = TimeUnit.NANOSECONDS.toMicros(firstEntryAt - request.receivedNanos());
        long decodeMicros = TimeUnit.NANOSECONDS.toMicros(now - firstEntryAt);
        return new ReplyTimings(
                first.queueMicros(),
                first.prefillMicros(),
                firstTokenMicros,
                decodeMicros,
                firstTokenMicros + decodeMicros,
                opener.isLate());
    }

    private void remember(Entry entry) {
        barrenAttempts = 1;
        int choice = entry.choice();
        int index = next[choice]++;
        if (index == emitted[choice].length) {
            emitted[choice] = Arrays.copyOf(emitted[choice], Math.max(32, 2 * index));
        }
        emitted[choice][index] = entry.tokenId();
        askedFrom[choice] = -1;
        remaining -= index < tokensPerChoice ? 1 : 0;
        // A producer that forgets to finish must not grow the journal beyond its bound: the mux ends such a choice.
        if (entry.finish() != null) {
            finished[choice] = true;
            unfinished--;
            remaining -= Math.max(0, tokensPerChoice - index - 1);
        }
    }

    /** Whether a choice got more tokens than the request allows: its producer is broken. */
    boolean overrun(int choice) {
        return !finished[choice] && next[choice] >= request.maxTokensPerChoice();
    }

    boolean isFinished(int choice) {
        return finished[choice];
    }

    boolean allFinished() {
        return unfinished == 0;
    }

    int nextIndex(int choice) {
        return next[choice];
    }

    /** Whether the gap before {@code nextIndex(choice)} is new and was not asked for yet. */
    boolean asksFirstTime(int choice) {
        boolean first = askedFrom[choice] != next[choice];
        askedFrom[choice] = next[choice];
        return first;
    }

    /** Whether what a producer has forgotten is still missing here. */
    boolean misses(StreamEvent.EntriesForgotten forgotten) {
        int choice = forgotten.choice();
        return choice < next.length && !finished[choice] && next[choice] == forgotten.fromIndex();
    }

    /** Nanoseconds since the choice's last entry, or -1 for its first one. */
    long gapSinceLastEntry(int choice, long now) {
        long last = lastEntryAt[choice];
        lastEntryAt[choice] = now;
        return last == 0 ? -1 : now - last;
    }

    boolean isFirstAttempt() {
        return attempt.number() == 1;
    }

    /** Turns to the next attempt, which nobody has accepted yet. */
    void startNextAttempt(ResidencyGate.Passage newPassage, long now) {
        attempt = attempt.next();
        barrenAttempts++;
        passage = newPassage;
        replica = newPassage.host();
        producer = null;
        submittedAt = now;
        aliveAt = now;
        retry = null;
        lostAt = -1;
        heardEarly = false;
        resends = 0;
        Arrays.fill(askedFrom, -1);
    }

    /** Sends the current attempt: it starts from the prompt's ids once they are known. */
    void submit(ActorRef<StreamEvent> edge) {
        List<TokenIds> tokens = new ArrayList<>(next.length);
        List<Boolean> ended = new ArrayList<>(next.length);
        for (int choice = 0; choice < next.length; choice++) {
            tokens.add(TokenIds.of(Arrays.copyOf(emitted[choice], next[choice])));
            ended.add(finished[choice]);
        }
        Prompt prompt = promptIds == null ? request.prompt() : new Prompt.Tokens(promptIds);
        passage.submit(attempt, prompt, tokens, ended, edge);
    }

    /** Where Cancel and Resend go: the producer once it is known, else the replica that was asked. */
    ActorRef<ReplicaCommand> feeder() {
        return producer == null ? replica : producer;
    }
}

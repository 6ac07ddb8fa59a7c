package dev.meridian.protocol.wire;

import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.ChatMessage;
import dev.meridian.protocol.Entry;
import dev.meridian.protocol.FinishReason;
import dev.meridian.protocol.Generation;
import dev.meridian.protocol.Priority;
import dev.meridian.protocol.Prompt;
import dev.meridian.protocol.Refusal;
import dev.meridian.protocol.Role;
import dev.meridian.protocol.Sampling;
import dev.meridian.protocol.Timings;
import dev.meridian.protocol.TokenIds;
import dev.meridian.protocol.TokenLogprob;
import dev.meridian.protocol.cluster.Change;
import dev.meridian.protocol.cluster.Change.Effect;
import dev.meridian.protocol.cluster.Change.Undone;
import dev.meridian.protocol.cluster.ModelDemand;
import dev.meridian.protocol.cluster.ModelInfo;
import dev.meridian.protocol.cluster.ModelPlacement;
import dev.meridian.protocol.cluster.NodeMessage.NodeStatus;
import dev.meridian.protocol.cluster.NodeMessage.StatusSeen;
import dev.meridian.protocol.cluster.Pin;
import dev.meridian.protocol.cluster.PinMessage.Ask;
import dev.meridian.protocol.cluster.PinMessage.Newest;
import dev.meridian.protocol.cluster.PinTable;
import dev.meridian.protocol.cluster.PlacementCommand.Drain;
import dev.meridian.protocol.cluster.PlacementCommand.Move;
import dev.meridian.protocol.cluster.PlacementCommand.Place;
import dev.meridian.protocol.cluster.PlacementCommand.Undo;
import dev.meridian.protocol.cluster.PlacementCommand.Undrain;
import dev.meridian.protocol.cluster.PlacementCommand.Unplace;
import dev.meridian.protocol.cluster.PlacementEvent;
import dev.meridian.protocol.cluster.PlacementRefusal;
import dev.meridian.protocol.cluster.PlacementReply;
import dev.meridian.protocol.cluster.ReplicaId;
import dev.meridian.protocol.cluster.ReplicaState;
import dev.meridian.protocol.cluster.ReplicaStatus;
import dev.meridian.protocol.cluster.Residency;
import dev.meridian.protocol.message.ReplicaCommand;
import dev.meridian.protocol.message.ReplicaCommand.Cancel;
import dev.meridian.protocol.message.ReplicaCommand.Resend;
import dev.meridian.protocol.message.ReplicaCommand.Submit;
import dev.meridian.protocol.message.ResumeMessage;
import dev.meridian.protocol.message.StreamEvent.Accepted;
import dev.meridian.protocol.message.StreamEvent.EntriesForgotten;
import dev.meridian.protocol.message.StreamEvent.HandOver;
import dev.meridian.protocol.message.StreamEvent.Heartbeat;
import dev.meridian.protocol.message.StreamEvent.Refused;
import dev.meridian.protocol.message.StreamEvent.StepBatch;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/** Messages whose fields never change; their texts begin with a word that no exception may say. */
final class WireSamples {
    static final String CANARY = "canary";

    private final WireFixture fixture;

    WireSamples(WireFixture fixture) {
        this.fixture = fixture;
    }

    /** One of each message with every field set, and one for each prompt and refusal. */
    List<Object> full() {
        List<Object> all = new ArrayList<>();
        all.add(submit(new Prompt.Chat(List.of(
                new ChatMessage(Role.SYSTEM, CANARY + " sys"),
                new ChatMessage(Role.DEVELOPER, "Grüße"),
                new ChatMessage(Role.USER, "日本 🙂"),
                new ChatMessage(Role.ASSISTANT, "")))));
        all.add(submit(new Prompt.Text(CANARY + " text")));
        all.add(submit(new Prompt.Tokens(TokenIds.of(1, 300, 128_255))));
        all.add(new Cancel(attempt(3)));
        all.add(new Resend(attempt(1), 2, 300));
        all.add(new Accepted(attempt(1), fixture.ref("host"), TokenIds.of(0, 7, 70_000)));
        refusals().forEach(reason -> all.add(new Refused(attempt(2), reason)));
        all.add(new StepBatch(fixture.ref("host"), 1234, List.of(fullEntry(), plainEntry())));
        all.add(new EntriesForgotten(attempt(1), 0, 17));
        all.add(new Heartbeat(fixture.ref("host"), 99, List.of(attempt(1), new Attempt("other", 2))));
        all.add(new HandOver(fixture.ref("host")));
        all.add(new NodeStatus(
                "node-1",
                "eu-west",
                List.of("edge", "replica"),
                1_700_000_000_000L,
                42,
                true,
                true,
                8L << 30,
                3L << 30,
                List.of(model()),
                List.of(replica(ReplicaState.READY, fixture.ref("host")), replica(ReplicaState.LOADING, null)),
                List.of("node-2", "node-3"),
                List.of(new ModelDemand("qwen3-0.6b", 0.5, 12.5, 3.25, 2, 1500, 20)),
                123_456_789L,
                fixture.ref("directory")));
        all.add(new StatusSeen("node-2", 1_700_000_000_000L, 41));
        all.add(new Newest(table()));
        all.add(new Ask(fixture.ref("placement")));
        all.add(table());
        all.add(new Move(replicaId(), "node-2", true, "admin", 6, "key-1", fixture.ref("reply")));
        all.add(new Drain("node-1", true, "admin", "key-2", fixture.ref("reply")));
        all.add(new Undrain("node-1", true, "loopback", "key-3", fixture.ref("reply")));
        all.add(new Place(placement(), true, "admin", "key-4", fixture.ref("reply")));
        all.add(new Unplace("qwen3-0.6b", true, true, "admin", "key-5", fixture.ref("reply")));
        all.add(new Undo("chg-0123456789ab", true, "admin", "key-6", fixture.ref("reply")));
        all.add(new PlacementReply.Planned(move()));
        all.add(new PlacementReply.Refused(PlacementRefusal.STALE_GENERATION, "it is at generation 7, not 6"));
        all.add(new ResumeMessage.Follow("node-1~chatcmpl-1", "0".repeat(64), 41, fixture.ref("reader")));
        all.add(new ResumeMessage.Following("eu/node-1/r", fixture.ref("source")));
        all.add(new ResumeMessage.NotKept());
        all.add(new ResumeMessage.Next());
        all.add(new ResumeMessage.Piece("data: " + CANARY, true));
        return all;
    }

    /** One of each message with as little as it may have. */
    List<Object> minimal() {
        Attempt attempt = new Attempt("r", 1);
        return List.of(
                new Submit(
                        attempt,
                        "",
                        0,
                        new Prompt.Tokens(TokenIds.empty()),
                        new Generation(Sampling.greedy(), 1, 0, List.of(), -1),
                        List.of(TokenIds.empty()),
                        List.of(false),
                        0,
                        0,
                        fixture.ref("edge")),
                new Cancel(attempt),
                new Resend(attempt, 0, 0),
                new Accepted(attempt, fixture.ref("host"), TokenIds.empty()),
                new Refused(attempt, new Refusal.DeadlineExceeded()),
                new StepBatch(fixture.ref("host"), 0, List.of()),
                new EntriesForgotten(attempt, 0, 0),
                new Heartbeat(fixture.ref("host"), 0, List.of()),
                new HandOver(fixture.ref("host")),
                new NodeStatus(
                        "",
                        "",
                        List.of(),
                        0,
                        0,
                        false,
                        false,
                        0,
                        0,
                        List.of(),
                        List.of(),
                        List.of(),
                        List.of(),
                        0,
                        fixture.ref("directory")),
                new StatusSeen("", 0, 0),
                new Newest(PinTable.empty("")),
                new Ask(fixture.ref("placement")),
                PinTable.empty(""),
                new Move(replicaId(), "", false, "", 0, null, fixture.ref("reply")),
                new Drain("", false, "", null, fixture.ref("reply")),
                new Undrain("", false, "", null, fixture.ref("reply")),
                new Place(new ModelPlacement("", 0, List.of()), false, "", null, fixture.ref("reply")),
                new Unplace("", false, false, "", null, fixture.ref("reply")),
                new Undo("", false, "", null, fixture.ref("reply")),
                new PlacementReply.Planned(undrain()),
                new PlacementReply.Refused(PlacementRefusal.NO_ROOM, ""));
    }

    static Attempt attempt(int number) {
        return new Attempt("req-0123456789", number);
    }

    private Submit submit(Prompt prompt) {
        Sampling sampling = new Sampling(0.7f, 40, 0.95f, 0.05f, 1.1f, 0.5f, -0.5f, Map.of(5, -100f, 300, 1.5f), -77);
        return new Submit(
                attempt(2),
                "qwen3-0.6b",
                300,
                prompt,
                new Generation(sampling, 2, 500, List.of("\n\n", CANARY), 20, Priority.FLEX),
                List.of(TokenIds.of(9, 900), TokenIds.empty()),
                List.of(false, true),
                0x5ca1ab1e_0ddba11eL,
                1_700_000_123_456L,
                fixture.ref("edge"));
    }

    static List<Refusal> refusals() {
        return List.of(
                new Refusal.QueueFull(256),
                new Refusal.PromptTooLong(40_000, true, 32_768),
                new Refusal.KvBudgetExceeded(5L << 30, 4L << 30),
                new Refusal.ModelUnknown("none"),
                new Refusal.ModelNotReady("qwen3-0.6b"),
                new Refusal.InvalidRequest("prompt", CANARY + " in it"),
                new Refusal.TemplateFailed(CANARY + " raised", 12),
                new Refusal.DeadlineExceeded(),
                new Refusal.DuplicateAttempt(),
                new Refusal.EngineFailed(CANARY + " cause"));
    }

    static Entry fullEntry() {
        return new Entry(
                attempt(1),
                1,
                130,
                128_009,
                CANARY,
                new TokenLogprob(128_009, " ca", "206361", -0.25f),
                List.of(new TokenLogprob(7, "\uFFFD", "f0", -1.5f), new TokenLogprob(8, "", "", -20f)),
                FinishReason.LENGTH,
                new Timings(10, 2_000, 3_000_000, 200));
    }

    static Entry plainEntry() {
        return new Entry(attempt(1), 0, 131, 264, " a", null, List.of(), null, null);
    }

    private static ModelInfo model() {
        return new ModelInfo(
                "qwen3-0.6b",
                "0123456789ab",
                32_768,
                151_936,
                1_700_000_000,
                "int4",
                400_000_000,
                Residency.in(List.of("us", "eu-west")));
    }

    private static ReplicaId replicaId() {
        return new ReplicaId("eu-west", "qwen3-0.6b", "0123456789ab", 2);
    }

    /** A pin that moves and one that stays. */
    private static PinTable table() {
        return new PinTable(
                "eu-west",
                300,
                List.of(
                        new Pin(new ReplicaId("eu-west", "qwen3-0.6b", "0123456789ab", 1), "node-3", 2, null),
                        new Pin(replicaId(), "node-1", 299, "node-2")),
                List.of("node-1", "node-4"),
                List.of(placement()),
                List.of(undrain(), move(), undo()),
                List.of(
                        new PlacementEvent(
                                299,
                                1,
                                1_700_000_000_250L,
                                PlacementEvent.Kind.MOVING,
                                "admin",
                                "qwen3-0.6b",
                                replicaId(),
                                "node-2",
                                "node-1",
                                "chg-0123456789ab: move 🙂"),
                        new PlacementEvent(300, 0, 0, PlacementEvent.Kind.CHANGE, "", "", null, null, null, "")));
    }

    private static Change move() {
        return new Change(
                "chg-0123456789ab",
                Change.Verb.MOVE,
                "admin",
                replicaId(),
                "node-1",
                "node-2",
                List.of("load it on node-2", "entlade es 🙂"),
                Change.State.RUNNING,
                "loads on node-2",
                299,
                1_700_000_000_000L,
                1_700_000_000_250L,
                "key-1",
                Effect.loading(400_000_000, 1250));
    }

    private static ModelPlacement placement() {
        return new ModelPlacement("qwen3-0.6b", 2, List.of("node-1", "node-3"));
    }

    private static Change undo() {
        return new Change(
                "chg-fedcba9876543",
                Change.Verb.UNDO,
                "admin",
                null,
                "",
                null,
                List.of("hold 2 replicas of it"),
                Change.State.RUNNING,
                "starts 1 replica",
                300,
                1_700_000_000_500L,
                1_700_000_000_750L,
                null,
                new Effect(
                        400_000_000,
                        Effect.UNKNOWN,
                        true,
                        "qwen3-0.6b",
                        placement(),
                        new ModelPlacement("qwen3-0.6b", 0, List.of()),
                        List.of(new Pin(replicaId(), "node-1", 299, "node-2")),
                        new Undone("chg-0123456789ab", Change.Verb.UNPLACE)));
    }

    private static Change undrain() {
        return new Change(
                "",
                Change.Verb.UNDRAIN,
                "",
                null,
                "",
                null,
                List.of(),
                Change.State.DONE,
                "",
                0,
                0,
                0,
                null,
                Effect.NONE);
    }

    private static ReplicaStatus replica(ReplicaState state, @Nullable ActorRef<ReplicaCommand> host) {
        return new ReplicaStatus(replicaId(), 6, state, model(), 4, 16, 812.5f, host);
    }
}

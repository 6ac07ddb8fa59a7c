package dev.meridian.protocol.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.ChatMessage;
import dev.meridian.protocol.Entry;
import dev.meridian.protocol.Generation;
import dev.meridian.protocol.Prompt;
import dev.meridian.protocol.Refusal;
import dev.meridian.protocol.Role;
import dev.meridian.protocol.Sampling;
import dev.meridian.protocol.TokenIds;
import dev.meridian.protocol.TokenLogprob;
import dev.meridian.protocol.cluster.Change;
import dev.meridian.protocol.cluster.Change.Effect;
import dev.meridian.protocol.cluster.Change.Undone;
import dev.meridian.protocol.cluster.ModelInfo;
import dev.meridian.protocol.cluster.ModelPlacement;
import dev.meridian.protocol.cluster.NodeMessage.NodeStatus;
import dev.meridian.protocol.cluster.NodeMessage.StatusSeen;
import dev.meridian.protocol.cluster.Pin;
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
import dev.meridian.protocol.message.ReplicaCommand.Submit;
import dev.meridian.protocol.message.ResumeMessage;
import dev.meridian.protocol.message.StreamEvent.Heartbeat;
import dev.meridian.protocol.message.StreamEvent.Refused;
import dev.meridian.protocol.message.StreamEvent.StepBatch;
import java.io.NotSerializableException;
import java.nio.BufferOverflowException;
import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What is at a cap goes through, and what is one above is refused where it is sent. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class WireCapsTest {
    private static final Attempt ATTEMPT = WireSamples.attempt(1);
    private static final ReplicaId REPLICA = new ReplicaId("eu", "m", "0123456789ab", 1);

    private final WireFixture fixture = new WireFixture();

    @AfterAll
    void shutdown() {
        fixture.close();
    }

    Stream<Arguments> caps() {
        return Stream.of(
                cap("prompt text", Caps.PROMPT_TEXT, n -> submit(new Prompt.Text("x".repeat(n)))),
                cap(
                        "messages",
                        Caps.CHAT_MESSAGES,
                        n -> submit(new Prompt.Chat(Collections.nCopies(n, new ChatMessage(Role.USER, ""))))),
                cap(
                        "message content",
                        Caps.PROMPT_TEXT,
                        n -> submit(new Prompt.Chat(List.of(new ChatMessage(Role.USER, "x".repeat(n)))))),
                cap("prompt tokens", Caps.TOKENS, n -> submit(new Prompt.Tokens(TokenIds.of(new int[n])))),
                cap(
                        "emitted tokens",
                        Caps.TOKENS,
                        n -> submit(new Prompt.Text(""), generation(Map.of(), List.of()), TokenIds.of(new int[n]))),
                cap("model", Caps.NAME, n -> new Refused(ATTEMPT, new Refusal.ModelNotReady("x".repeat(n)))),
                cap("piece", Caps.PIECE, n -> new ResumeMessage.Piece("x".repeat(n), false)),
                cap("reason", Caps.REASON, n -> new Refused(ATTEMPT, new Refusal.EngineFailed("x".repeat(n)))),
                cap("parameter", Caps.NAME, n -> new Refused(ATTEMPT, new Refusal.InvalidRequest("x".repeat(n), ""))),
                cap(
                        "logit biases",
                        Caps.LOGIT_BIASES,
                        n -> submit(
                                new Prompt.Text(""),
                                generation(
                                        IntStream.range(0, n).boxed().collect(Collectors.toMap(id -> id, _ -> 1f)),
                                        List.of()),
                                TokenIds.empty())),
                cap(
                        "stop text",
                        Caps.STOP_TEXT,
                        n -> submit(
                                new Prompt.Text(""), generation(Map.of(), List.of("x".repeat(n))), TokenIds.empty())),
                cap(
                        "entries",
                        Caps.ENTRIES,
                        n -> new StepBatch(fixture.ref("host"), 1, Collections.nCopies(n, WireSamples.plainEntry()))),
                cap(
                        "entry text",
                        Caps.ENTRY_TEXT,
                        n -> batch(new Entry(ATTEMPT, 0, 0, 0, "x".repeat(n), null, List.of(), null, null))),
                cap(
                        "alternatives",
                        Generation.MAX_TOP_LOGPROBS,
                        n -> batch(new Entry(
                                ATTEMPT, 0, 0, 0, "", null, Collections.nCopies(n, token("", "")), null, null))),
                cap(
                        "token text",
                        Caps.TOKEN_TEXT,
                        n -> batch(new Entry(ATTEMPT, 0, 0, 0, "", token("x".repeat(n), ""), List.of(), null, null))),
                cap(
                        "token bytes",
                        Caps.TOKEN_TEXT,
                        n -> batch(new Entry(ATTEMPT, 0, 0, 0, "", token("", "x".repeat(n)), List.of(), null, null))),
                cap(
                        "live attempts",
                        Caps.LIVE_ATTEMPTS,
                        n -> new Heartbeat(fixture.ref("host"), 1, Collections.nCopies(n, ATTEMPT))),
                cap("node", Caps.LABEL, n -> new StatusSeen("x".repeat(n), 1, 1)),
                cap("roles", Caps.ROLES, n -> status(Collections.nCopies(n, "edge"), 0, 0, List.of())),
                cap("role", Caps.LABEL, n -> status(List.of("x".repeat(n)), 0, 0, List.of())),
                cap("bundles", Caps.BUNDLES, n -> status(List.of(), n, 0, List.of())),
                cap("replicas", Caps.REPLICAS, n -> status(List.of(), 0, n, List.of())),
                cap("hears", Caps.NODES, n -> status(List.of(), 0, 0, Collections.nCopies(n, "node"))),
                cap("node", Caps.LABEL, n -> status(List.of(), 0, 0, List.of("x".repeat(n)))));
    }

    Stream<Arguments> capsOfPlacement() {
        ActorRef<PlacementReply> me = fixture.ref("me");
        return Stream.of(
                cap("region", Caps.LABEL, n -> PinTable.empty("x".repeat(n))),
                cap("pins", Caps.PINS, n -> table(Collections.nCopies(n, pin("node", null)), List.of(), List.of())),
                cap("node", Caps.LABEL, n -> table(List.of(pin("x".repeat(n), null)), List.of(), List.of())),
                cap("next", Caps.LABEL, n -> table(List.of(pin("", "x".repeat(n))), List.of(), List.of())),
                cap("draining", Caps.NODES, n -> table(List.of(), Collections.nCopies(n, "node"), List.of())),
                cap("node", Caps.LABEL, n -> table(List.of(), List.of("x".repeat(n)), List.of())),
                cap(
                        "changes",
                        PinTable.MAX_CHANGES,
                        n -> table(
                                List.of(), List.of(), Collections.nCopies(n, change("", "", "", "", List.of(), "")))),
                cap("id", Caps.LABEL, n -> planned("x".repeat(n), "", "", "", List.of(), "")),
                cap("by", Caps.NAME, n -> planned("", "x".repeat(n), "", "", List.of(), "")),
                cap("from", Caps.LABEL, n -> planned("", "", "x".repeat(n), "", List.of(), "")),
                cap("to", Caps.LABEL, n -> planned("", "", "", "x".repeat(n), List.of(), "")),
                cap("plan", Caps.PLAN, n -> planned("", "", "", "", Collections.nCopies(n, ""), "")),
                cap("step", Caps.STEP, n -> planned("", "", "", "", List.of("x".repeat(n)), "")),
                cap("progress", Caps.STEP, n -> planned("", "", "", "", List.of(), "x".repeat(n))),
                cap("to", Caps.LABEL, n -> new Move(REPLICA, "x".repeat(n), false, "", 0, null, fixture.ref("me"))),
                cap("by", Caps.NAME, n -> new Move(REPLICA, "", false, "x".repeat(n), 0, null, fixture.ref("me"))),
                cap(
                        "idempotencyKey",
                        Caps.NAME,
                        n -> new Move(REPLICA, "", false, "", 0, "x".repeat(n), fixture.ref("me"))),
                cap("node", Caps.LABEL, n -> new Drain("x".repeat(n), false, "", null, fixture.ref("me"))),
                cap("by", Caps.NAME, n -> new Drain("", false, "x".repeat(n), null, fixture.ref("me"))),
                cap("idempotencyKey", Caps.NAME, n -> new Drain("", false, "", "x".repeat(n), fixture.ref("me"))),
                cap("node", Caps.LABEL, n -> new Undrain("x".repeat(n), false, "", null, fixture.ref("me"))),
                cap("by", Caps.NAME, n -> new Undrain("", false, "x".repeat(n), null, fixture.ref("me"))),
                cap("idempotencyKey", Caps.NAME, n -> new Undrain("", false, "", "x".repeat(n), fixture.ref("me"))),
                cap("model", Caps.NAME, n -> place(placement("x".repeat(n), List.of()))),
                cap("nodes", Caps.NODES, n -> place(placement("m", Collections.nCopies(n, "node")))),
                cap("node", Caps.LABEL, n -> place(placement("m", List.of("x".repeat(n))))),
                cap("by", Caps.NAME, n -> new Place(placement("", List.of()), false, "x".repeat(n), null, me)),
                cap(
                        "idempotencyKey",
                        Caps.NAME,
                        n -> new Place(placement("", List.of()), false, "", "x".repeat(n), me)),
                cap("model", Caps.NAME, n -> new Unplace("x".repeat(n), false, false, "", null, me)),
                cap("by", Caps.NAME, n -> new Unplace("", false, false, "x".repeat(n), null, me)),
                cap("idempotencyKey", Caps.NAME, n -> new Unplace("", false, false, "", "x".repeat(n), me)),
                cap("change", Caps.LABEL, n -> new Undo("x".repeat(n), false, "", null, me)),
                cap("by", Caps.NAME, n -> new Undo("", false, "x".repeat(n), null, me)),
                cap("idempotencyKey", Caps.NAME, n -> new Undo("", false, "", "x".repeat(n), me)),
                cap(
                        "placements",
                        PinTable.MAX_PLACEMENTS,
                        n -> new PinTable(
                                "eu",
                                1,
                                List.of(),
                                List.of(),
                                Collections.nCopies(n, placement("m", List.of())),
                                List.of(),
                                List.of())),
                cap("events", PinTable.MAX_EVENTS, n -> table(Collections.nCopies(n, event("", "", null, null, "")))),
                cap("by", Caps.NAME, n -> table(List.of(event("x".repeat(n), "", null, null, "")))),
                cap("model", Caps.NAME, n -> table(List.of(event("", "x".repeat(n), null, null, "")))),
                cap("node", Caps.LABEL, n -> table(List.of(event("", "", "x".repeat(n), null, "")))),
                cap("from", Caps.LABEL, n -> table(List.of(event("", "", null, "x".repeat(n), "")))),
                cap("model", Caps.NAME, n -> with(new Effect(0, 0, false, "x".repeat(n), null, null, List.of(), null))),
                cap(
                        "pins",
                        Effect.MAX_PINS,
                        n -> with(new Effect(
                                0, 0, false, null, null, null, Collections.nCopies(n, pin("", null)), null))),
                cap("undoes", Caps.LABEL, n -> with(Effect.NONE.undoing(new Undone("x".repeat(n), Change.Verb.MOVE)))),
                cap("message", Caps.REASON, n -> new PlacementReply.Refused(PlacementRefusal.NO_ROOM, "x".repeat(n))));
    }

    private static PinTable table(List<Pin> pins, List<String> draining, List<Change> changes) {
        return new PinTable("eu", 1, pins, draining, List.of(), changes, List.of());
    }

    private static PinTable table(List<PlacementEvent> events) {
        return PinTable.empty("eu").withEvents(events);
    }

    private static PlacementEvent event(
            String by, String model, @Nullable String node, @Nullable String from, String reason) {
        return new PlacementEvent(1, 0, 1, PlacementEvent.Kind.MOVED, by, model, REPLICA, node, from, reason);
    }

    private static Pin pin(String node, @Nullable String next) {
        return new Pin(REPLICA, node, 1, next);
    }

    private static PlacementReply planned(
            String id, String by, String from, String to, List<String> plan, String progress) {
        return new PlacementReply.Planned(change(id, by, from, to, plan, progress));
    }

    private static Change change(String id, String by, String from, String to, List<String> plan, String progress) {
        return new Change(
                id,
                Change.Verb.MOVE,
                by,
                REPLICA,
                from,
                to,
                plan,
                Change.State.RUNNING,
                progress,
                1,
                1,
                1,
                null,
                Effect.NONE);
    }

    private static ModelPlacement placement(String model, List<String> nodes) {
        return new ModelPlacement(model, 1, nodes);
    }

    private Place place(ModelPlacement placement) {
        return new Place(placement, false, "", null, fixture.ref("me"));
    }

    private static PlacementReply with(Effect effect) {
        return new PlacementReply.Planned(change("", "", "", "", List.of(), "").withEffect(effect));
    }

    private static Arguments cap(String what, int most, Function<Integer, Object> message) {
        return Arguments.of(what, most, message);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource({"caps", "capsOfPlacement"})
    void whatPassesItsCapIsRefusedByNameWhereItIsSent(String what, int most, Function<Integer, Object> message)
            throws NotSerializableException {
        Object largest = message.apply(most);

        assertThat(fixture.read(fixture.write(largest), largest).equals(largest))
                .isTrue();
        assertThatThrownBy(() -> fixture.write(message.apply(most + 1)))
                .isInstanceOf(WireException.class)
                .hasMessage(what + ": " + (most + 1) + " are more than " + most);
    }

    @Test
    void theLongestReasonOfAnEventHasRoom() throws NotSerializableException {
        PinTable table = table(List.of(event("", "", null, null, "\uFFFF".repeat(PlacementEvent.MAX_REASON))));

        assertThat(fixture.read(fixture.write(table), table).equals(table)).isTrue();
    }

    /** A table is one message of the ordinary size; see maximum-frame-size in meridian-cluster.conf. */
    @Test
    void asManyEventsAsThereCanBeLeaveRoomForPins() {
        ReplicaId longest = new ReplicaId("r".repeat(32), "m".repeat(128), "0123456789ab", 9999);
        PlacementEvent event = new PlacementEvent(
                Long.MAX_VALUE,
                199,
                Long.MAX_VALUE,
                PlacementEvent.Kind.MOVED,
                "b".repeat(64),
                longest.model(),
                longest,
                "n".repeat(32),
                "n".repeat(32),
                "x".repeat(PlacementEvent.MAX_REASON));

        assertThat(fixture.write(table(Collections.nCopies(PinTable.MAX_EVENTS, event))))
                .hasSizeLessThan(160 << 10);
    }

    @Test
    void bytesAreCountedAndNotCharacters() {
        assertThatThrownBy(() -> fixture.write(new StatusSeen("é".repeat(Caps.LABEL / 2 + 1), 1, 1)))
                .hasMessage("node: 66 are more than 64");
    }

    @Test
    void aReferenceThatIsTooLongIsRefused() {
        Object message = new Heartbeat(fixture.ref("x".repeat(Caps.REF)), 1, List.of());

        assertThatThrownBy(() -> fixture.write(message))
                .isInstanceOf(WireException.class)
                .hasMessageMatching("producer: \\d+ are more than 2048");
    }

    @Test
    void allFieldsTogetherHaveACapToo() {
        ChatMessage message = new ChatMessage(Role.USER, "x".repeat(Caps.PROMPT_TEXT));

        assertThatThrownBy(() -> fixture.write(submit(new Prompt.Chat(List.of(message, message)))))
                .isInstanceOf(WireException.class)
                .hasMessage("Submit: more than 8388608 bytes");
        assertThatThrownBy(() -> fixture.serializer.toBinary(
                        submit(new Prompt.Chat(List.of(message, message))), ByteBuffer.allocate(10 << 20)))
                .isInstanceOf(WireException.class)
                .hasMessage("Submit: more than 8388608 bytes");
    }

    @Test
    void aFrameThatIsTooSmallIsAnOverflow() {
        Object message = submit(new Prompt.Text("x".repeat(5000)));
        ByteBuffer limited = ByteBuffer.allocateDirect(10_000).limit(4096);

        for (ByteBuffer frame : List.of(ByteBuffer.allocate(4096), ByteBuffer.allocateDirect(4096), limited)) {
            assertThatThrownBy(() -> fixture.serializer.toBinary(message, frame))
                    .isInstanceOf(BufferOverflowException.class);
        }
    }

    @Test
    void whatIsNoMessageIsRefused() {
        for (Object other : List.of(ATTEMPT, new Prompt.Text("canary"), "canary")) {
            assertThatThrownBy(() -> fixture.serializer.manifest(other))
                    .isInstanceOf(WireException.class)
                    .hasMessage(other.getClass().getName() + " is no message of the wire");
            assertThatThrownBy(() -> fixture.write(other)).isInstanceOf(WireException.class);
        }
    }

    private Submit submit(Prompt prompt) {
        return submit(prompt, generation(Map.of(), List.of()), TokenIds.empty());
    }

    private Submit submit(Prompt prompt, Generation generation, TokenIds emitted) {
        return new Submit(
                ATTEMPT, "m", 1, prompt, generation, List.of(emitted), List.of(false), 1, 1, fixture.ref("edge"));
    }

    private static Generation generation(Map<Integer, Float> biases, List<String> stops) {
        Sampling sampling = new Sampling(null, null, null, null, null, 0, 0, biases, 1);
        return new Generation(sampling, 1, 10, stops, -1);
    }

    private StepBatch batch(Entry entry) {
        return new StepBatch(fixture.ref("host"), 1, List.of(entry));
    }

    private static TokenLogprob token(String text, String bytes) {
        return new TokenLogprob(1, text, bytes, -1);
    }

    private NodeStatus status(List<String> roles, int bundles, int replicas, List<String> hears) {
        ModelInfo model = new ModelInfo("m", "0123456789ab", 1, 1, 1, "int4", 1, Residency.ANYWHERE);
        ReplicaStatus replica = new ReplicaStatus(REPLICA, 1, ReplicaState.READY, model, 0, 0, 0, null);
        return new NodeStatus(
                "node",
                "eu",
                roles,
                1,
                1,
                false,
                false,
                1,
                1,
                Collections.nCopies(bundles, model),
                Collections.nCopies(replicas, replica),
                hears,
                List.of(),
                0,
                fixture.ref("directory"));
    }
}

package dev.meridian.protocol.wire;

import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.ChatMessage;
import dev.meridian.protocol.Entry;
import dev.meridian.protocol.FinishReason;
import dev.meridian.protocol.Generation;
import dev.meridian.protocol.Priority;
import dev.meridian.protocol.Prompt;
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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Messages with anything in them that their records allow, the extremes of numbers often. */
final class RandomMessages {
    private static final List<String> TEXTS =
            List.of("", "a", "ÿ", "ab\u0000c", "日本語", "🙂", "e\u0301", "\uFFFF", "x".repeat(300), "é".repeat(128));

    private final Random random;
    private final WireFixture fixture;

    RandomMessages(long seed, WireFixture fixture) {
        this.random = new Random(seed);
        this.fixture = fixture;
    }

    /** One of each message. */
    List<Object> all() {
        return List.of(
                submit(),
                new Cancel(attempt()),
                new Resend(attempt(), anyInt(), anyInt()),
                new Accepted(attempt(), fixture.ref(name()), tokenIds()),
                new Refused(attempt(), oneOf(WireSamples.refusals())),
                new StepBatch(fixture.ref(name()), anyLong(), list(20, this::entry)),
                new EntriesForgotten(attempt(), positive(), positive()),
                new ResumeMessage.Follow(name(), name(), anyLong(), fixture.ref(name())),
                new ResumeMessage.Following(name(), fixture.ref(name())),
                new ResumeMessage.NotKept(),
                new ResumeMessage.Next(),
                new ResumeMessage.Piece(text(), random.nextBoolean()),
                new HandOver(fixture.ref(name())),
                new Heartbeat(fixture.ref(name()), anyLong(), list(40, this::attempt)),
                new NodeStatus(
                        name(),
                        name(),
                        list(4, this::name),
                        anyLong(),
                        anyLong(),
                        random.nextBoolean(),
                        random.nextBoolean(),
                        anyLong(),
                        anyLong(),
                        list(5, this::model),
                        list(5, this::replica),
                        list(5, this::name),
                        list(5, this::demand),
                        anyLong(),
                        fixture.ref(name())),
                new StatusSeen(name(), anyLong(), anyLong()),
                new Newest(table()),
                new Ask(fixture.ref(name())),
                table(),
                new Move(
                        replicaId(),
                        name(),
                        random.nextBoolean(),
                        shortText(),
                        anyLong(),
                        maybe(this::shortText),
                        fixture.ref(name())),
                new Drain(name(), random.nextBoolean(), shortText(), maybe(this::shortText), fixture.ref(name())),
                new Undrain(name(), random.nextBoolean(), shortText(), maybe(this::shortText), fixture.ref(name())),
                new Place(placement(), random.nextBoolean(), shortText(), maybe(this::shortText), fixture.ref(name())),
                new Unplace(
                        shortText(),
                        random.nextBoolean(),
                        random.nextBoolean(),
                        shortText(),
                        maybe(this::shortText),
                        fixture.ref(name())),
                new Undo(name(), random.nextBoolean(), shortText(), maybe(this::shortText), fixture.ref(name())),
                new PlacementReply.Planned(change()),
                new PlacementReply.Refused(oneOf(List.of(PlacementRefusal.values())), text()));
    }

    private Submit submit() {
        int choices = 1 + random.nextInt(Generation.MAX_CHOICES);
        List<TokenIds> emitted = new ArrayList<>();
        List<Boolean> finished = new ArrayList<>();
        for (int i = 0; i < choices; i++) {
            emitted.add(tokenIds());
            finished.add(random.nextBoolean());
        }
        Generation generation = new Generation(
                sampling(),
                choices,
                positive(),
                list(Generation.MAX_STOPS, () -> "s" + text()),
                random.nextInt(Generation.MAX_TOP_LOGPROBS + 2) - 1,
                oneOf(List.of(Priority.values())));
        return new Submit(
                attempt(),
                name(),
                random.nextLong() >>> 1,
                prompt(),
                generation,
                emitted,
                finished,
                anyLong(),
                anyLong(),
                fixture.ref(name()));
    }

    private Prompt prompt() {
        return switch (random.nextInt(3)) {
            case 0 -> {
                List<ChatMessage> messages = list(5, () -> new ChatMessage(oneOf(List.of(Role.values())), text()));
                messages.add(new ChatMessage(Role.USER, text()));
                yield new Prompt.Chat(messages);
            }
            case 1 -> new Prompt.Text(text());
            default -> new Prompt.Tokens(tokenIds());
        };
    }

    private Sampling sampling() {
        Map<Integer, Float> biases = new HashMap<>();
        list(20, this::anyInt).forEach(id -> biases.put(id, random.nextFloat()));
        return new Sampling(
                maybe(random::nextFloat),
                maybe(this::anyInt),
                maybe(random::nextFloat),
                maybe(random::nextFloat),
                maybe(random::nextFloat),
                random.nextFloat(),
                -random.nextFloat(),
                biases,
                anyLong());
    }

    private Entry entry() {
        return new Entry(
                attempt(),
                positive(),
                positive(),
                positive(),
                text(),
                maybe(this::logprob),
                list(Generation.MAX_TOP_LOGPROBS, this::logprob),
                maybe(() -> oneOf(List.of(FinishReason.values()))),
                maybe(() -> new Timings(anyLong(), anyLong(), anyLong(), positive())));
    }

    private TokenLogprob logprob() {
        return new TokenLogprob(anyInt(), text(), name(), -random.nextFloat());
    }

    private ReplicaStatus replica() {
        return new ReplicaStatus(
                replicaId(),
                anyLong(),
                oneOf(List.of(ReplicaState.values())),
                model(),
                anyInt(),
                anyInt(),
                random.nextFloat(),
                maybe(() -> fixture.ref(name())));
    }

    private ReplicaId replicaId() {
        return new ReplicaId("eu", "m~" + random.nextInt(9), "0123456789ab", 1 + random.nextInt(9999));
    }

    private PinTable table() {
        return new PinTable(
                name(),
                anyLong(),
                list(5, this::pin),
                list(5, this::name),
                list(5, this::placement),
                list(5, this::change),
                list(5, this::event));
    }

    private ModelPlacement placement() {
        return new ModelPlacement(shortText(), random.nextInt(ModelPlacement.MAX_REPLICAS + 1), list(5, this::name));
    }

    private Effect effect() {
        return new Effect(
                anyLong(),
                anyLong(),
                random.nextBoolean(),
                maybe(this::shortText),
                maybe(this::placement),
                maybe(this::placement),
                list(5, this::pin),
                maybe(() -> new Undone(name(), oneOf(List.of(Change.Verb.values())))));
    }

    private Pin pin() {
        return new Pin(replicaId(), name(), anyLong(), maybe(this::name));
    }

    private Change change() {
        return new Change(
                name(),
                oneOf(List.of(Change.Verb.values())),
                shortText(),
                maybe(this::replicaId),
                name(),
                maybe(this::name),
                list(5, this::text),
                oneOf(List.of(Change.State.values())),
                text(),
                anyLong(),
                anyLong(),
                anyLong(),
                maybe(this::shortText),
                effect());
    }

    private PlacementEvent event() {
        return new PlacementEvent(
                anyLong(),
                anyInt(),
                anyLong(),
                oneOf(List.of(PlacementEvent.Kind.values())),
                shortText(),
                shortText(),
                maybe(this::replicaId),
                maybe(this::name),
                maybe(this::name),
                shortText());
    }

    private ModelDemand demand() {
        return new ModelDemand(
                name(),
                random.nextDouble(),
                random.nextDouble(),
                random.nextDouble(),
                positive(),
                anyLong(),
                anyLong());
    }

    private ModelInfo model() {
        return new ModelInfo(
                name(),
                name(),
                Math.max(1, positive()),
                Math.max(1, positive()),
                anyLong(),
                name(),
                positive(),
                residency());
    }

    private Residency residency() {
        return random.nextBoolean()
                ? Residency.ANYWHERE
                : Residency.in(list(5, () -> oneOf(List.of("eu", "us-west-2", "x"))));
    }

    private Attempt attempt() {
        return new Attempt("r" + name(), Math.max(1, positive()));
    }

    private TokenIds tokenIds() {
        return TokenIds.of(list(30, this::anyInt).stream().mapToInt(id -> id).toArray());
    }

    private String text() {
        return oneOf(TEXTS) + oneOf(TEXTS);
    }

    /** Where a name stands, which is shorter than a text may be. */
    private String shortText() {
        return oneOf(TEXTS.subList(0, 8));
    }

    private String name() {
        return "n" + random.nextInt(1000);
    }

    private int anyInt() {
        return switch (random.nextInt(4)) {
            case 0 -> oneOf(List.of(0, 1, 127, 128, -1, Integer.MAX_VALUE, Integer.MIN_VALUE));
            case 1 -> random.nextInt();
            default -> random.nextInt(200_000);
        };
    }

    private int positive() {
        return anyInt() & Integer.MAX_VALUE;
    }

    private long anyLong() {
        return switch (random.nextInt(4)) {
            case 0 -> oneOf(List.of(0L, 1L, 127L, 128L, -1L, Long.MAX_VALUE, Long.MIN_VALUE));
            case 1 -> random.nextLong();
            default -> anyInt();
        };
    }

    private <T> @Nullable T maybe(Supplier<T> value) {
        return random.nextBoolean() ? value.get() : null;
    }

    private <T> T oneOf(List<T> values) {
        return values.get(random.nextInt(values.size()));
    }

    private <T> List<T> list(int most, Supplier<T> element) {
        List<T> elements = new ArrayList<>();
        for (int i = random.nextInt(most + 1); i > 0; i--) {
            elements.add(element.get());
        }
        return elements;
    }
}

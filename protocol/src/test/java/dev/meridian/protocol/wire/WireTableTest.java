package dev.meridian.protocol.wire;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.protocol.FinishReason;
import dev.meridian.protocol.Priority;
import dev.meridian.protocol.Prompt;
import dev.meridian.protocol.Refusal;
import dev.meridian.protocol.Role;
import dev.meridian.protocol.cluster.Change;
import dev.meridian.protocol.cluster.NodeMessage;
import dev.meridian.protocol.cluster.PinMessage;
import dev.meridian.protocol.cluster.PinTable;
import dev.meridian.protocol.cluster.PlacementCommand;
import dev.meridian.protocol.cluster.PlacementRefusal;
import dev.meridian.protocol.cluster.PlacementReply;
import dev.meridian.protocol.cluster.ReplicaState;
import dev.meridian.protocol.message.ReplicaCommand;
import dev.meridian.protocol.message.ResumeMessage;
import dev.meridian.protocol.message.StreamEvent;
import java.io.NotSerializableException;
import java.util.EnumSet;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.pekko.serialization.Serializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class WireTableTest {
    private final WireFixture fixture = new WireFixture();

    @AfterAll
    void shutdown() {
        fixture.close();
    }

    private static List<Class<?>> types(List<WireTable.Row> rows) {
        return rows.stream().<Class<?>>map(row -> row.layout().type()).toList();
    }

    @Test
    void everyMessageHasAnId() {
        assertThat(types(WireTable.MESSAGES))
                .containsExactlyInAnyOrderElementsOf(Stream.concat(
                                Stream.of(
                                                ReplicaCommand.class,
                                                StreamEvent.class,
                                                NodeMessage.class,
                                                PinMessage.class,
                                                PlacementCommand.class,
                                                PlacementReply.class,
                                                ResumeMessage.class)
                                        .<Class<?>>flatMap(kind -> Stream.of(kind.getPermittedSubclasses())),
                                Stream.of(PinTable.class))
                        .toList());
    }

    @ParameterizedTest
    @ValueSource(classes = {Prompt.class, Refusal.class})
    void everyVariantHasAnId(Class<?> kind) {
        assertThat(types(WireTable.VALUES)).contains(kind.getPermittedSubclasses());
    }

    @Test
    void noIdIsUsedTwice() {
        assertThat(Stream.concat(WireTable.MESSAGES.stream(), WireTable.VALUES.stream())
                        .map(WireTable.Row::id))
                .doesNotHaveDuplicates();
    }

    /** Kryo has lower ids itself, and Kryo writes ids of values where several types can stand: they take one byte. */
    @Test
    void valuesHaveShortIdsBelowThoseOfMessages() {
        assertThat(WireTable.VALUES).extracting(WireTable.Row::id).allMatch(id -> id >= 20 && id < 100, "20 to 99");
        assertThat(WireTable.MESSAGES).extracting(WireTable.Row::id).allMatch(id -> id >= 100, "100 or more");
    }

    @Test
    void theCodesOfConstantsNeverChange() {
        assertThat(codes(Codes.ROLES, Role.class)).isEqualTo("SYSTEM 1, DEVELOPER 2, USER 3, ASSISTANT 4");
        assertThat(codes(Codes.PRIORITIES, Priority.class)).isEqualTo("PRIORITY 1, STANDARD 2, FLEX 3");
        assertThat(codes(Codes.FINISH_REASONS, FinishReason.class)).isEqualTo("STOP 1, LENGTH 2");
        assertThat(codes(Codes.REPLICA_STATES, ReplicaState.class))
                .isEqualTo("LOADING 1, STANDBY 5, READY 2, DRAINING 3, FAILED 4");
        assertThat(codes(Codes.VERBS, Change.Verb.class))
                .isEqualTo("MOVE 1, DRAIN 2, UNDRAIN 3, PLACE 4, UNPLACE 5, UNDO 6");
        assertThat(codes(Codes.CHANGE_STATES, Change.State.class))
                .isEqualTo("PLANNED 1, RUNNING 2, DONE 3, FAILED 4, UNDONE 5");
        assertThat(codes(Codes.PLACEMENT_REFUSALS, PlacementRefusal.class))
                .isEqualTo("REPLICA_UNKNOWN 1, NODE_UNKNOWN 2, SAME_NODE 3, OTHER_REGION 4, BUNDLE_MISSING 5,"
                        + " ALREADY_THERE 6, OVER_BUDGET 7, NODE_DRAINING 8, NODE_NOT_READY 9, STALE_GENERATION 10,"
                        + " CHANGE_RUNNING 11, IDEMPOTENCY_KEY_REUSED 12, NO_ROOM 13,"
                        + " REGION_UNKNOWN 14, MODEL_UNKNOWN 15, CHANGE_UNKNOWN 16, TOO_FEW_NODES 17,"
                        + " NODE_EXCLUDED 18, LAST_REPLICA 19, UNDO_OF_UNDO 20, ALREADY_UNDONE 21,"
                        + " CHANGE_FAILED 22, NOTHING_TO_UNDO 23, SUPERSEDED 24, RESIDENCY_FORBIDS 25");
    }

    private static <E extends Enum<E>> String codes(Codes<E> codes, Class<E> type) {
        return EnumSet.allOf(type).stream()
                .map(constant -> constant.name() + " " + codes.code(constant))
                .collect(Collectors.joining(", "));
    }

    @Test
    void pekkoFindsTheSerializerOfEveryMessage() throws NotSerializableException {
        for (Class<?> message : types(WireTable.MESSAGES)) {
            Serializer found = fixture.serialization.serializerFor(message);

            assertThat(found).as(message.getName()).isSameAs(fixture.serializer);
        }
    }

    @Test
    void javaSerializationStaysOff() {
        assertThat(fixture.serialization.AllowJavaSerialization()).isFalse();
    }

    @Test
    void pekkoWritesAndReadsByIdAndManifest() {
        Object message = new WireSamples(fixture).full().getFirst();

        byte[] bytes = fixture.serialization.serialize(message).get();
        Object read = fixture.serialization
                .deserialize(bytes, WireSerializer.IDENTIFIER, fixture.serializer.manifest(message))
                .get();

        assertThat(WireSerializer.IDENTIFIER).isEqualTo(7355);
        assertThat(read).isEqualTo(message);
    }
}

package dev.meridian.edge.admin;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import dev.meridian.edge.admin.AdminApi.Subject;
import dev.meridian.edge.openai.ApiException;
import dev.meridian.edge.stream.RoutingJournal;
import dev.meridian.protocol.cluster.Change;
import dev.meridian.protocol.cluster.Change.Effect;
import dev.meridian.protocol.cluster.Change.State;
import dev.meridian.protocol.cluster.Change.Undone;
import dev.meridian.protocol.cluster.Change.Verb;
import dev.meridian.protocol.cluster.ModelDemand;
import dev.meridian.protocol.cluster.ModelPlacement;
import dev.meridian.protocol.cluster.NodeMessage;
import dev.meridian.protocol.cluster.NodeMessage.NodeStatus;
import dev.meridian.protocol.cluster.Pin;
import dev.meridian.protocol.cluster.PinTable;
import dev.meridian.protocol.cluster.PlacementCommand;
import dev.meridian.protocol.cluster.PlacementCommand.Place;
import dev.meridian.protocol.cluster.PlacementCommand.Undo;
import dev.meridian.protocol.cluster.PlacementCommand.Unplace;
import dev.meridian.protocol.cluster.PlacementEvent;
import dev.meridian.protocol.cluster.PlacementEvent.Kind;
import dev.meridian.protocol.cluster.PlacementRefusal;
import dev.meridian.protocol.cluster.PlacementReply;
import dev.meridian.protocol.cluster.ReplicaId;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What operators ask over HTTP, as a region's placement gets it, and what they are told. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class AdminChangesTest {
    private static final Change DONE = new Change(
            "chg-1",
            Verb.UNDO,
            "me",
            null,
            "",
            null,
            List.of("load it"),
            State.DONE,
            "2 of 2 serve",
            7,
            0,
            1000,
            null,
            new Effect(
                    1L << 33,
                    1200,
                    false,
                    "m",
                    new ModelPlacement("m", 2, List.of("eu-1", "eu-2")),
                    null,
                    List.of(),
                    new Undone("chg-0", Verb.UNPLACE)));

    private static final ReplicaId FIRST = new ReplicaId("eu", "m", "0123456789ab", 1);
    private static final ReplicaId GONE = new ReplicaId("us", "n", "0123456789ab", 1);

    private static PlacementEvent event(
            long generation,
            int index,
            long at,
            Kind kind,
            ReplicaId replica,
            String by,
            @Nullable String node,
            @Nullable String from,
            String reason) {
        return new PlacementEvent(generation, index, at, kind, by, replica.model(), replica, node, from, reason);
    }

    private final ActorTestKit kit = ActorTestKit.create(
            "admin", ConfigFactory.parseString("pekko.loglevel = OFF").withFallback(ConfigFactory.load()));
    private final BlockingQueue<PlacementCommand> asked = new LinkedBlockingQueue<>();
    private volatile PlacementReply reply = new PlacementReply.Planned(DONE);
    private final ActorRef<PlacementCommand> placement = kit.spawn(Behaviors.receiveMessage(command -> {
        asked.add(command);
        command.replyTo().tell(reply);
        return Behaviors.same();
    }));
    private final AdminApi admin =
            new AdminApi(kit.system(), new OneRegion(), new RoutingJournal("eu", InstantSource.system()));

    @AfterAll
    void shutdown() {
        kit.shutdownTestKit();
    }

    /** Two nodes of eu and one of us; only eu has a placement. */
    private final class OneRegion implements AdminCluster {
        private final List<NodeRow> rows = List.of(row("eu-1", "eu"), row("eu-2", "eu"), row("us-1", "us"));

        private NodeRow row(String node, String region) {
            NodeStatus status = new NodeStatus(
                    node,
                    region,
                    List.of(),
                    1,
                    1,
                    false,
                    false,
                    0,
                    0,
                    List.of(),
                    List.of(),
                    List.of(),
                    List.of(),
                    0,
                    kit.<NodeMessage>createTestProbe().getRef());
            return new NodeRow(status, "up", 0);
        }

        @Override
        public boolean joined() {
            return true;
        }

        @Override
        public List<NodeRow> nodes() {
            return rows;
        }

        @Override
        public List<PinTable> tables() {
            PinTable eu = PinTable.empty("eu").withChanges(List.of(DONE));
            return List.of(
                    eu.withPins(List.of(new Pin(FIRST, "eu-1", 7, "eu-2")))
                            .withEvents(List.of(
                                    event(6, 0, 1000, Kind.PLACED, FIRST, "policy:spread", "eu-1", null, "spread"),
                                    event(7, 0, 3000, Kind.MOVING, FIRST, "me", "eu-2", "eu-1", "chg-2: move"))),
                    PinTable.empty("us")
                            .withEvents(List.of(event(
                                    1, 0, 2000, Kind.REMOVED, GONE, "placement", null, "us-1", "us-1 was lost"))));
        }

        @Override
        public List<DemandRow> demand() {
            return List.of(
                    new DemandRow("eu", new ModelDemand("m", 0.05, 12.345, 1.5, 2, 700, 0)),
                    new DemandRow("us", ModelDemand.none("m")));
        }

        @Override
        public PolicyRows plan() {
            return new PolicyRows(
                    "follow-demand",
                    List.of(
                            new PolicyRows.Row("eu", "m", 1, 2, 3, "2 requests wait for it"),
                            new PolicyRows.Row("us", "m", 1, 1, 1, "min-replicas")));
        }

        @Override
        public Optional<ActorRef<PlacementCommand>> placement(String region) {
            return region.equals("eu") ? Optional.of(placement) : Optional.empty();
        }
    }

    private AdminApi.Answer ask(Subject of, String rest, String body) throws Exception {
        return admin.change(of, rest, body.getBytes(UTF_8), Optional.empty(), Optional.of("key"), "me")
                .toCompletableFuture()
                .get(20, TimeUnit.SECONDS);
    }

    private PlacementCommand command(Subject of, String rest, String body) throws Exception {
        asked.clear();
        ask(of, rest, body);
        return asked.take();
    }

    private String refusal(Subject of, String rest, String body) {
        try {
            return "status " + ask(of, rest, body).status();
        } catch (ApiException e) {
            return e.error().status() + " " + e.error().code();
        } catch (Exception e) {
            Throwable cause = e instanceof CompletionException || e.getCause() != null ? e.getCause() : e;
            return cause instanceof ApiException refused
                    ? refused.error().status() + " " + refused.error().code()
                    : String.valueOf(cause);
        }
    }

    @Test
    void aPlacementIsPassedOn() throws Exception {
        Place place = (Place) command(
                Subject.MODEL,
                "m:place",
                "{\"region\":\"eu\",\"replicas\":2,\"nodes\":[\"eu-1\",\"eu-2\",\"eu-1\"],\"dryRun\":true}");

        assertThat(place)
                .isEqualTo(new Place(
                        new ModelPlacement("m", 2, List.of("eu-1", "eu-2")), true, "me", "key", place.replyTo()));
        Place plain = (Place) command(Subject.MODEL, "m:place", "{\"region\":\"eu\",\"replicas\":1}");
        assertThat(plain)
                .isEqualTo(new Place(new ModelPlacement("m", 1, List.of()), false, "me", "key", plain.replyTo()));
    }

    @Test
    void unplacingAndUndoingArePassedOn() throws Exception {
        Unplace unplace = (Unplace) command(Subject.MODEL, "m~x:unplace", "{\"region\":\"eu\",\"force\":true}");
        Undo undo = (Undo) command(Subject.CHANGE, "chg-1:undo", "");

        assertThat(unplace).isEqualTo(new Unplace("m~x", false, true, "me", "key", unplace.replyTo()));
        assertThat(undo).isEqualTo(new Undo("chg-1", false, "me", "key", undo.replyTo()));
    }

    @Test
    void theAnswerTellsWhatAChangeDoesAndCosts() throws Exception {
        AdminApi.Answer answer = ask(Subject.CHANGE, "chg-1:undo", "{}");

        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.json())
                .isEqualTo(
                        "{\"id\":\"chg-1\",\"verb\":\"undo\",\"by\":\"me\",\"replica\":null,\"from\":null,\"to\":null,"
                                + "\"model\":\"m\",\"wanted\":{\"replicas\":2,\"nodes\":[\"eu-1\",\"eu-2\"]},\"before\":null,"
                                + "\"undoes\":\"chg-0\",\"bytesToLoad\":8589934592,\"estimateMillis\":1200,\"plan\":[\"load it\"],\"state\":\"done\","
                                + "\"progress\":\"2 of 2 serve\",\"generation\":7,\"startedAt\":\"1970-01-01T00:00:00Z\","
                                + "\"changedAt\":\"1970-01-01T00:00:01Z\"}");
    }

    @Test
    void aChangeThatRunsIsAnsweredWith202() throws Exception {
        reply = new PlacementReply.Planned(new Change(
                "chg-2", Verb.PLACE, "me", null, "", null, List.of(), State.RUNNING, "", 7, 0, 0, null, Effect.NONE));

        assertThat(ask(Subject.MODEL, "m:place", "{\"region\":\"eu\",\"replicas\":1}")
                        .status())
                .isEqualTo(202);
        reply = new PlacementReply.Planned(DONE);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "MODEL; m:place; {'region':'eu'}; 400 missing_required_parameter",
                "MODEL; m:place; {'replicas':1}; 400 missing_required_parameter",
                "MODEL; m:place; {'region':'eu','replicas':0}; 400 out_of_range",
                "MODEL; m:place; {'region':'eu','replicas':100}; 400 out_of_range",
                "MODEL; m:place; {'region':'eu','replicas':'2'}; 400 invalid_type",
                "MODEL; m:place; {'region':'EU!','replicas':1}; 400 invalid_value",
                "MODEL; m:place; {'region':'eu','replicas':1,'nodes':'eu-1'}; 400 invalid_type",
                "MODEL; m:place; {'region':'eu','replicas':1,'nodes':['?']}; 400 invalid_value",
                "MODEL; m:place; {'region':'eu','replicas':1,'force':true}; 400 unknown_parameter",
                "MODEL; m:place; {'region':'mars','replicas':1}; 404 region_unknown",
                "MODEL; m:place; {'region':'eu','replicas':1,'nodes':['us-1']}; 422 other_region",
                "MODEL; m:unplace; {}; 400 missing_required_parameter",
                "MODEL; m:unplace; {'region':'eu','replicas':1}; 400 unknown_parameter",
                "MODEL; m:unplace; {'region':'mars'}; 404 region_unknown",
                "MODEL; m:move; {'to':'eu-1'}; 404 unknown_url",
                "MODEL; m; {}; 404 unknown_url",
                "NODE; eu-1:place; {}; 404 unknown_url",
                "REPLICA; eu~m~0123456789ab~1:undo; {}; 404 unknown_url",
                "CHANGE; chg-9:undo; {}; 404 change_unknown",
                "CHANGE; chg-1:undo; {'to':'eu-1'}; 400 unknown_parameter",
                "CHANGE; chg-1:redo; {}; 404 unknown_url",
            })
    void whatCannotBeIsRefusedByName(Subject of, String rest, String body, String expected) {
        assertThat(refusal(of, rest, body.replace((char) 39, '"'))).isEqualTo(expected);
    }

    @ParameterizedTest
    @EnumSource
    void everyRefusalOfAPlacementHasItsStatus(PlacementRefusal reason) {
        reply = new PlacementReply.Refused(reason, "no");
        int status = switch (reason) {
            case REPLICA_UNKNOWN, NODE_UNKNOWN, REGION_UNKNOWN, MODEL_UNKNOWN, CHANGE_UNKNOWN -> 404;
            case OTHER_REGION, BUNDLE_MISSING, OVER_BUDGET, NO_ROOM, TOO_FEW_NODES, RESIDENCY_FORBIDS -> 422;
            default -> 409;
        };

        assertThat(refusal(Subject.CHANGE, "chg-1:undo", "{}")).isEqualTo(status + " " + reason.wireName());
        reply = new PlacementReply.Planned(DONE);
    }

    @Test
    void demandIsShownByTheMinute() {
        assertThat(admin.demand())
                .asString(UTF_8)
                .isEqualTo("{\"items\":[{\"region\":\"eu\",\"model\":\"m\",\"requestsPerMinute\":3.0,"
                        + "\"tokensPerSecond\":12.35,\"streams\":1.5,\"waiting\":2,\"waitingMillis\":700,"
                        + "\"idleMillis\":0},{\"region\":\"us\",\"model\":\"m\",\"requestsPerMinute\":0.0,"
                        + "\"tokensPerSecond\":0.0,\"streams\":0.0,\"waiting\":0,\"waitingMillis\":0,"
                        + "\"idleMillis\":null}]}");
    }

    @Test
    void thePlanOfThePolicySaysWhatChangesAndWhy() {
        assertThat(admin.plan())
                .asString(UTF_8)
                .isEqualTo("{\"policy\":\"follow-demand\",\"items\":[{\"region\":\"eu\",\"model\":\"m\","
                        + "\"held\":1,\"replicas\":2,\"wished\":3,\"change\":true,"
                        + "\"reason\":\"2 requests wait for it\"},{\"region\":\"us\",\"model\":\"m\",\"held\":1,"
                        + "\"replicas\":1,\"wished\":1,\"change\":false,\"reason\":\"min-replicas\"}]}");
    }

    private static final String PLACED = "{\"id\":\"eu:6:0\",\"region\":\"eu\",\"at\":\"1970-01-01T00:00:01Z\","
            + "\"kind\":\"placed\",\"by\":\"policy:spread\",\"model\":\"m\",\"replica\":\"eu~m~0123456789ab~1\","
            + "\"from\":null,\"node\":\"eu-1\",\"reason\":\"spread\"}";
    private static final String REMOVED = "{\"id\":\"us:1:0\",\"region\":\"us\",\"at\":\"1970-01-01T00:00:02Z\","
            + "\"kind\":\"removed\",\"by\":\"placement\",\"model\":\"n\",\"replica\":\"us~n~0123456789ab~1\","
            + "\"from\":\"us-1\",\"node\":null,\"reason\":\"us-1 was lost\"}";
    private static final String MOVING = "{\"id\":\"eu:7:0\",\"region\":\"eu\",\"at\":\"1970-01-01T00:00:03Z\","
            + "\"kind\":\"moving\",\"by\":\"me\",\"model\":\"m\",\"replica\":\"eu~m~0123456789ab~1\","
            + "\"from\":\"eu-1\",\"node\":\"eu-2\",\"reason\":\"chg-2: move\"}";

    @Test
    void eventsOfAllRegionsAreListedTheNewestLast() {
        assertThat(admin.events())
                .asString(UTF_8)
                .isEqualTo("{\"items\":[" + PLACED + "," + REMOVED + "," + MOVING + "]}");
    }

    @Test
    void eventsAreFollowedFromTheLastOneThatCame() {
        String rest = "id: us:1:0,eu:6:0\ndata: " + REMOVED + "\n\nid: eu:7:0,us:1:0\ndata: " + MOVING + "\n\n";
        Supplier<String> all = admin.follow(Optional.empty());

        assertThat(all.get()).isEqualTo("id: eu:6:0\ndata: " + PLACED + "\n\n" + rest);
        assertThat(all.get()).isEmpty();
        assertThat(admin.follow(Optional.of("eu:6:0")).get()).isEqualTo(rest);
        assertThat(admin.follow(Optional.of("us:1:0,eu:6:0")).get())
                .isEqualTo("id: eu:7:0,us:1:0\ndata: " + MOVING + "\n\n");
        assertThat(admin.follow(Optional.of("eu:7:0,us:1:0")).get()).isEmpty();
    }

    @Test
    void whatNoEventWasNamedIsNotContinued() {
        for (String name : List.of("", "7", "eu:7", "eu:7:0,", "eu:x:0", "eu:7:0;us:1:0", "eu:9999999999999999999:0")) {
            assertThatThrownBy(() -> admin.follow(Optional.of(name)))
                    .as(name)
                    .isInstanceOf(ApiException.class)
                    .hasMessage("invalid_value");
        }
    }

    @Test
    void whySaysWhereAReplicaIsAndHowItCameThere() {
        String answer = "\"replicas\":[{\"id\":\"eu~m~0123456789ab~1\",\"region\":\"eu\",\"node\":\"eu-1\","
                + "\"movesTo\":\"eu-2\",\"generation\":7}],\"events\":[" + PLACED + "," + MOVING + "]}";

        assertThat(admin.why("m").orElseThrow()).asString(UTF_8).isEqualTo("{\"id\":\"m\"," + answer);
        assertThat(admin.why(FIRST.toString()).orElseThrow())
                .asString(UTF_8)
                .isEqualTo("{\"id\":\"" + FIRST + "\"," + answer);
        assertThat(admin.why(GONE.toString()).orElseThrow())
                .asString(UTF_8)
                .isEqualTo("{\"id\":\"" + GONE + "\",\"replicas\":[],\"events\":[" + REMOVED + "]}");
        assertThat(admin.why("x")).isEmpty();
    }

    @Test
    void aListOfNodesIsBounded() {
        String nodes = "\"eu-1\",".repeat(256) + "\"eu-1\"";

        assertThat(refusal(Subject.MODEL, "m:place", "{\"region\":\"eu\",\"replicas\":1,\"nodes\":[" + nodes + "]}"))
                .isEqualTo("400 invalid_value");
    }
}

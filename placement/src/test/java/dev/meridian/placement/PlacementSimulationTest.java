package dev.meridian.placement;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import dev.meridian.placement.policy.PlacementPlan;
import dev.meridian.protocol.cluster.Change;
import dev.meridian.protocol.cluster.ModelInfo;
import dev.meridian.protocol.cluster.ModelPlacement;
import dev.meridian.protocol.cluster.Pin;
import dev.meridian.protocol.cluster.PinTable;
import dev.meridian.protocol.cluster.PlacementCommand;
import dev.meridian.protocol.cluster.PlacementEvent;
import dev.meridian.protocol.cluster.PlacementReply;
import dev.meridian.protocol.cluster.ReplicaId;
import dev.meridian.protocol.cluster.ReplicaState;
import dev.meridian.protocol.cluster.ReplicaStatus;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A region whose nodes load slowly and sometimes in vain, die, freeze, come back and leave, whose statuses and tables arrive
 * late, and whose operators move, drain, undrain, place, unplace and undo as they like; now and then a new placement takes over with older facts.
 * The planner runs after every event, and after every event the invariants hold. At last the region is left in peace, and all
 * that was begun ends.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class PlacementSimulationTest {
    private static final PlacementPlan UNASKED = new PlacementPlan("", List.of());
    private static final int SEEDS = 300;
    private static final int EVENTS = 400;
    private static final int QUIET_EVENTS = 400;
    private static final int FIXED_EVENTS = 20;

    private final ActorTestKit kit = ActorTestKit.create(
            "operators", ConfigFactory.parseString("pekko.loglevel = OFF").withFallback(ConfigFactory.load()));
    private final ActorRef<PlacementReply> nobody =
            kit.<PlacementReply>createTestProbe().getRef();

    @AfterAll
    void shutdown() {
        kit.shutdownTestKit();
    }

    static LongStream seeds() {
        return LongStream.range(0, SEEDS);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void invariantsHold(long seed) {
        Simulation simulation = new Simulation(seed, nobody);
        for (int i = 0; i < EVENTS; i++) {
            simulation.event();
        }
        simulation.calmDown();
        for (int i = 0; i < QUIET_EVENTS; i++) {
            simulation.event();
        }
        simulation.assertSettled();
        PinTable settled = simulation.table;
        for (int i = 0; i < FIXED_EVENTS; i++) {
            simulation.event();
            assertThat(simulation.table).as("seed %d: a settled table", seed).isSameAs(settled);
        }
    }

    /** A replica in a node's memory; {@code left} events until its load or its drain is over. */
    private record Held(ReplicaId id, long generation, ReplicaState state, int left) {
        boolean serves() {
            return state == ReplicaState.READY || state == ReplicaState.STANDBY;
        }

        Held with(long newGeneration, ReplicaState newState) {
            return new Held(id, newGeneration, newState, left);
        }
    }

    /** What a node told of itself, and when that arrived. */
    private record Heard(
            long at, boolean leaving, long reservedBytes, List<ModelInfo> bundles, List<ReplicaStatus> replicas) {}

    /** A node, and its models as {@code NodeModels} of the module model-actors treats them. */
    private static final class SimulatedNode {
        final String id;
        final long budgetBytes;
        final Map<ReplicaId, Held> held = new TreeMap<>();
        List<ModelInfo> bundles;
        PinTable table = PinTable.empty(Facts.REGION);
        boolean alive = true;
        boolean leaving;

        SimulatedNode(String id, long budgetBytes, List<ModelInfo> bundles) {
            this.id = id;
            this.budgetBytes = budgetBytes;
            this.bundles = bundles;
        }

        long reservedBytes() {
            return held.values().stream()
                            .filter(one -> one.state() != ReplicaState.FAILED)
                            .count()
                    * Facts.WEIGHT;
        }

        boolean serves(String model) {
            return alive
                    && held.values().stream()
                            .anyMatch(one -> one.serves() && one.id().model().equals(model));
        }
    }

    private static final class Simulation {
        private static final int SILENT_AFTER = 3;
        private static final int GONE_AFTER = 10;
        /** A node that lives is heard at least so often. */
        private static final int LATEST_STATUS = 3;

        private static final int LATEST_TABLE = 4;
        private static final int OLDER_FACTS = 4;

        /** Until this many events after a death somebody may still count on who died. */
        private static final int AFTERMATH = GONE_AFTER + OLDER_FACTS + LATEST_STATUS + LATEST_TABLE;

        /** Failed loads are forgotten, and so tried again, after so many events. */
        private static final int FORGET_FAILURE = 12;

        private final long seed;
        private final Random random;
        private final ActorRef<PlacementReply> nobody;
        private final int wanted;
        /** Per cent of events; where they are few, nobody's loss of service is put down to one. */
        private final int fates;

        private final List<ModelInfo> models = new ArrayList<>();
        private final Map<String, SimulatedNode> nodes = new TreeMap<>();
        private final Map<String, Heard> heard = new TreeMap<>();
        private final Map<String, Long> tableAt = new HashMap<>();
        private final Map<String, Long> lastLoss = new HashMap<>();
        private final Deque<Map<String, Heard>> earlier = new ArrayDeque<>();
        private final Map<String, Change> known = new HashMap<>();
        private PinTable table = PinTable.empty(Facts.REGION);
        private boolean calm;
        private long now;
        private String event = "";

        Simulation(long seed, ActorRef<PlacementReply> nobody) {
            this.seed = seed;
            this.nobody = nobody;
            random = new Random(seed);
            wanted = 1 + random.nextInt(3);
            fates = oneOf(List.of(0, 1, 12));
            for (int i = 1 + random.nextInt(4); i > 0; i--) {
                models.add(Facts.model("m" + i));
            }
            int size = 2 + random.nextInt(4);
            for (int i = 0; i < size; i++) {
                String id = "n" + i;
                int room = 1 + random.nextInt(models.size() + 2);
                nodes.put(id, new SimulatedNode(id, room * Facts.WEIGHT, someModels()));
            }
        }

        private List<ModelInfo> someModels() {
            return models.stream().filter(_ -> random.nextInt(5) > 0).toList();
        }

        private boolean chance(int percent) {
            return random.nextInt(100) < percent;
        }

        private <T> T oneOf(Collection<T> values) {
            return List.copyOf(values).get(random.nextInt(values.size()));
        }

        void event() {
            now++;
            Set<String> served = servedModels();
            event = "time";
            nodes.values().forEach(this::live);
            assertServed(served);
            if (!calm && chance(fates)) {
                fate(oneOf(nodes.values()));
            }
            assertServed(served);
            nodes.values().forEach(this::tell);
            earlier.addLast(new TreeMap<>(heard));
            if (earlier.size() > OLDER_FACTS) {
                earlier.removeFirst();
            }
            boolean takeOver = !calm && chance(5);
            List<NodeFacts> facts = facts(takeOver ? earlier.getFirst() : heard);
            if (!calm && chance(10)) {
                operate(facts);
            }
            event += takeOver ? ", plan of a new placement" : ", plan";
            if (knowsEnough(facts)) {
                become(PlacementPlanner.plan(table, facts, Wanted.usual(wanted), now), facts);
            }
        }

        /** As a placement waits until it has heard of all nodes with pins. */
        private boolean knowsEnough(List<NodeFacts> facts) {
            Set<String> heardOf = facts.stream().map(NodeFacts::id).collect(Collectors.toSet());
            return table.pins().stream()
                    .flatMap(pin -> Stream.of(pin.node(), pin.next()))
                    .filter(Objects::nonNull)
                    .allMatch(heardOf::contains);
        }

        /** No more failures, and all operators and nodes that are about to go have gone. */
        void calmDown() {
            calm = true;
            nodes.values().stream().filter(node -> node.leaving).forEach(this::die);
            nodes.values().stream().filter(node -> !node.alive && chance(50)).forEach(this::comeBack);
        }

        /** What happens in a node without anybody's doing. */
        private void live(SimulatedNode node) {
            if (!node.alive) {
                return;
            }
            boolean late = tableAt.getOrDefault(node.id, 0L) + LATEST_TABLE <= now;
            if (node.table.generation() < table.generation() && (late || chance(50))) {
                node.table = table;
            }
            if (node.table.generation() == table.generation()) {
                tableAt.put(node.id, now);
            }
            for (Held one : List.copyOf(node.held.values())) {
                advance(node, one);
            }
            follow(node);
        }

        private void advance(SimulatedNode node, Held one) {
            if (one.left() > 0) {
                node.held.put(one.id(), new Held(one.id(), one.generation(), one.state(), one.left() - 1));
                return;
            }
            switch (one.state()) {
                case LOADING -> {
                    boolean fails = !calm && chance(10);
                    ReplicaState state = fails ? ReplicaState.FAILED : ReplicaState.STANDBY;
                    node.held.put(one.id(), new Held(one.id(), one.generation(), state, fails ? FORGET_FAILURE : 0));
                }
                case DRAINING, FAILED -> node.held.remove(one.id());
                case STANDBY, READY -> {}
            }
        }

        private void follow(SimulatedNode node) {
            Map<ReplicaId, Pin> mine = new TreeMap<>();
            node.table.pins().stream()
                    .filter(pin -> pin.node().equals(node.id) || node.id.equals(pin.next()))
                    .forEach(pin -> mine.put(pin.replica(), pin));
            for (Held one : List.copyOf(node.held.values())) {
                Pin pin = mine.remove(one.id());
                if (pin != null) {
                    ReplicaState serving = pin.node().equals(node.id) ? ReplicaState.READY : ReplicaState.STANDBY;
                    node.held.put(one.id(), one.with(pin.generation(), one.serves() ? serving : one.state()));
                } else if (one.serves()) {
                    node.held.put(
                            one.id(),
                            new Held(one.id(), one.generation(), ReplicaState.DRAINING, 1 + random.nextInt(8)));
                }
            }
            for (Pin pin : mine.values()) {
                if (node.bundles.stream()
                        .anyMatch(one -> one.id().equals(pin.replica().model()))) {
                    boolean fits = node.reservedBytes() + Facts.WEIGHT <= node.budgetBytes;
                    ReplicaState state = fits ? ReplicaState.LOADING : ReplicaState.FAILED;
                    int left = fits ? 1 + random.nextInt(6) : FORGET_FAILURE;
                    node.held.put(pin.replica(), new Held(pin.replica(), pin.generation(), state, left));
                }
            }
        }

        private void fate(SimulatedNode node) {
            if (node.alive && node.leaving) {
                event = node.id + " stops";
                die(node);
            } else if (node.alive) {
                switch (random.nextInt(5)) {
                    case 0 -> {
                        event = node.id + " freezes";
                        lose(node);
                        node.alive = false;
                    }
                    case 1 -> {
                        event = node.id + " dies";
                        die(node);
                    }
                    case 2 -> {
                        event = node.id + " dies and restarts at once";
                        die(node);
                        node.alive = true;
                    }
                    default -> {
                        event = node.id + " leaves";
                        node.leaving = true;
                    }
                }
            } else {
                event = node.id + " comes back";
                comeBack(node);
                if (node.held.isEmpty() && chance(10)) {
                    node.bundles = someModels();
                }
            }
        }

        private void comeBack(SimulatedNode node) {
            lose(node);
            node.alive = true;
        }

        private void die(SimulatedNode node) {
            lose(node);
            node.alive = false;
            node.leaving = false;
            node.held.clear();
        }

        private void lose(SimulatedNode node) {
            Stream.concat(node.held.keySet().stream(), node.bundles.stream().map(one -> Facts.replica(one.id(), 1)))
                    .forEach(one -> lastLoss.put(one.model(), now));
        }

        private void tell(SimulatedNode node) {
            boolean late = !heard.containsKey(node.id) || heard.get(node.id).at() + (calm ? 1 : LATEST_STATUS) <= now;
            if (node.alive && (late || chance(70))) {
                List<ReplicaStatus> replicas = node.held.values().stream()
                        .map(one -> Facts.status(one.id(), one.state(), one.generation()))
                        .toList();
                heard.put(node.id, new Heard(now, node.leaving, node.reservedBytes(), node.bundles, replicas));
            }
        }

        private List<NodeFacts> facts(Map<String, Heard> view) {
            return view.entrySet().stream()
                    .map(one -> {
                        Heard last = one.getValue();
                        long silent = now - last.at();
                        return new NodeFacts(
                                one.getKey(),
                                !last.leaving() && silent <= SILENT_AFTER,
                                last.leaving(),
                                silent > GONE_AFTER,
                                Objects.requireNonNull(nodes.get(one.getKey())).budgetBytes,
                                last.reservedBytes(),
                                0,
                                last.bundles(),
                                last.replicas());
                    })
                    .toList();
        }

        private void operate(List<NodeFacts> facts) {
            String node = oneOf(nodes.keySet());
            boolean dryRun = chance(20);
            String key = chance(20) ? "key-" + random.nextInt(20) : null;
            PlacementCommand command = switch (random.nextInt(9)) {
                case 5 -> new PlacementCommand.Place(somePlacement(), dryRun, "me", key, nobody);
                case 6 -> new PlacementCommand.Unplace(oneOf(models).id(), dryRun, chance(50), "me", key, nobody);
                case 7, 8 ->
                    new PlacementCommand.Undo(
                            table.changes().isEmpty()
                                    ? "none"
                                    : oneOf(table.changes()).id(),
                            dryRun,
                            "me",
                            key,
                            nobody);
                case 0 -> new PlacementCommand.Drain(node, dryRun, "me", key, nobody);
                case 1 -> new PlacementCommand.Undrain(node, dryRun, "me", key, nobody);
                default -> {
                    ReplicaId replica = table.pins().isEmpty()
                            ? Facts.replica("m1", 1)
                            : oneOf(table.pins()).replica();
                    long generation = table.pin(replica).map(Pin::generation).orElse(0L) - random.nextInt(2);
                    yield new PlacementCommand.Move(
                            replica, node, dryRun, "me", chance(50) ? 0 : Math.max(0, generation), key, nobody);
                }
            };
            event += ", " + command;
            PinTable before = table;
            PlacementCommands.Decision decision = new PlacementCommands(new Situation(
                            table, facts, Set.of("m1"), Set.of(), Facts.settings(wanted), Wanted.usual(wanted), now))
                    .decide(command);
            become(decision.table(), facts);
            if (dryRun || decision.reply() instanceof PlacementReply.Refused) {
                assertThat(table).as(this::where).isSameAs(before);
            }
        }

        private ModelPlacement somePlacement() {
            List<String> some = chance(50)
                    ? List.of()
                    : nodes.keySet().stream().filter(_ -> chance(50)).toList();
            return new ModelPlacement(oneOf(models).id(), 1 + random.nextInt(3), some);
        }

        private void become(PinTable next, List<NodeFacts> facts) {
            PinTable before = table;
            table = PlacementEvents.follow(before, next, facts, UNASKED, now);
            if (next.equals(before)) {
                assertThat(next).as(this::where).isSameAs(before);
                return;
            }
            assertThat(next.generation()).as(this::where).isEqualTo(before.generation() + 1);
            assertThat(next.withGeneration(before.generation())).as(this::where).isNotEqualTo(before);
            assertThat(next.changes()).as(this::where).hasSizeLessThanOrEqualTo(PinTable.MAX_CHANGES);
            next.placements().stream()
                    .filter(placement -> placement.replicas() == 0)
                    .forEach(placement -> lastLoss.put(placement.model(), now));
            assertPins(before);
            assertEvents(before);
            next.changes().forEach(this::assertFollows);
        }

        private void assertPins(PinTable before) {
            assertThat(table.pins()).as(this::where).extracting(Pin::replica).doesNotHaveDuplicates();
            Set<List<String>> places = new HashSet<>();
            for (Pin pin : table.pins()) {
                assertThat(pin.node()).as(this::where).isNotEqualTo(pin.next());
                for (String node : Stream.of(pin.node(), pin.next())
                        .filter(Objects::nonNull)
                        .toList()) {
                    assertThat(places.add(List.of(pin.replica().model(), node)))
                            .as(() -> where() + ": two of one model on " + node)
                            .isTrue();
                }
                assertThat(table.placement(pin.replica().model())
                                .filter(placement -> placement.replicas() == 0
                                        && before.placements().contains(placement)))
                        .as(() -> where() + ": a pin of a model that is placed nowhere")
                        .isEmpty();
                Optional<Pin> old = before.pin(pin.replica());
                if (!old.equals(Optional.of(pin))) {
                    assertThat(pin.generation()).as(this::where).isEqualTo(table.generation());
                }
            }
        }

        /** One for each pin that is another one now, and one for each change that began or ended. */
        private void assertEvents(PinTable before) {
            List<PlacementEvent> events = table.events().stream()
                    .filter(event -> event.generation() == table.generation())
                    .toList();
            assertThat(table.events()).as(this::where).hasSizeLessThanOrEqualTo(PinTable.MAX_EVENTS);
            assertThat(events)
                    .as(this::where)
                    .extracting(PlacementEvent::index)
                    .isEqualTo(IntStream.range(0, events.size()).boxed().toList());
            Set<ReplicaId> changed = new TreeSet<>();
            Stream.of(before, table)
                    .flatMap(one -> one.pins().stream())
                    .filter(pin -> !before.pin(pin.replica()).equals(table.pin(pin.replica())))
                    .forEach(pin -> changed.add(pin.replica()));
            assertThat(events.stream()
                            .filter(event -> event.kind() != PlacementEvent.Kind.CHANGE)
                            .map(PlacementEvent::replica))
                    .as(this::where)
                    .containsExactlyElementsOf(changed);
            assertThat(events.stream().filter(event -> event.kind() == PlacementEvent.Kind.CHANGE))
                    .as(this::where)
                    .hasSize((int) table.changes().stream()
                            .filter(change -> before.change(change.id())
                                    .filter(old -> old.state() == change.state())
                                    .isEmpty())
                            .count());
            events.forEach(this::assertExplains);
        }

        private void assertExplains(PlacementEvent event) {
            assertThat(event.reason()).as(this::where).isNotEmpty();
            assertThat(event.by()).as(this::where).isIn("me", PlacementEvent.PLACEMENT);
            switch (event.kind()) {
                case PLACED ->
                    assertThat(event.node()).as(this::where).isNotNull().isNotEqualTo(event.from());
                case MOVING, MOVED, STAYED -> {
                    assertThat(event.node()).as(this::where).isNotNull().isNotEqualTo(event.from());
                    assertThat(event.from()).as(this::where).isNotNull();
                }
                case REMOVED -> assertThat(event.node()).as(this::where).isNull();
                case CHANGE -> assertThat(event.by()).as(this::where).isEqualTo("me");
            }
        }

        private void assertFollows(Change change) {
            Change before = known.put(change.id(), change);
            assertThat(change.state()).as(this::where).isNotEqualTo(Change.State.PLANNED);
            if (before != null && before.state() == Change.State.DONE && change.state() == Change.State.UNDONE) {
                assertThat(table.changes())
                        .as(this::where)
                        .anyMatch(undo -> undo.state() == Change.State.DONE
                                && undo.effect().undoes() != null
                                && undo.effect().undoes().id().equals(change.id()));
            } else if (before != null && before.state().isOver()) {
                assertThat(change).as(this::where).isEqualTo(before);
            }
        }

        private Set<String> servedModels() {
            return models.stream()
                    .map(ModelInfo::id)
                    .filter(model -> nodes.values().stream().anyMatch(node -> node.serves(model)))
                    .collect(Collectors.toSet());
        }

        /** Who serves stays until another one does, but for deaths. */
        private void assertServed(Set<String> before) {
            Set<String> lost = new HashSet<>(before);
            lost.removeAll(servedModels());
            lost.removeIf(model -> lastLoss.getOrDefault(model, -1000L) + AFTERMATH >= now);
            assertThat(lost)
                    .as(() -> where() + ": models that nobody serves any more")
                    .isEmpty();
        }

        void assertSettled() {
            List<NodeFacts> facts = facts(heard);
            for (Change change : table.changes()) {
                if (change.state() == Change.State.RUNNING) {
                    assertThat(change.empties(change.from()) || change.verb() == Change.Verb.PLACE)
                            .as(() -> where() + ": " + change)
                            .isTrue();
                    assertThat(change.progress()).as(this::where).startsWith("waits: ");
                }
            }
            for (Pin pin : table.pins()) {
                assertThat(pin.next()).as(() -> where() + ": " + pin).isNull();
                boolean ready = Objects.requireNonNull(nodes.get(pin.node())).held.values().stream()
                        .anyMatch(one -> one.id().equals(pin.replica()) && one.state() == ReplicaState.READY);
                boolean alive = Objects.requireNonNull(nodes.get(pin.node())).alive;
                if (!alive || !ready || table.draining().contains(pin.node())) {
                    assertThat(target(facts, pin.replica()))
                            .as(() -> where() + ": " + pin)
                            .isEmpty();
                }
                if (alive) {
                    assertThat(ready)
                            .as(() -> where() + ": " + pin + " is ready")
                            .isTrue();
                }
            }
            for (ModelInfo model : models) {
                Optional<ModelPlacement> placement = table.placement(model.id());
                int replicas = placement.map(ModelPlacement::replicas).orElse(wanted);
                List<Pin> pinned = table.pins().stream()
                        .filter(pin -> pin.replica().model().equals(model.id()))
                        .toList();
                if (pinned.size() < replicas) {
                    assertThat(target(facts, Facts.replica(model.id(), 9999)))
                            .as(() -> where() + ": " + model.id())
                            .isEmpty();
                }
                if (placement.isPresent()) {
                    assertSettled(placement.get(), pinned, facts);
                }
            }
        }

        /** As many as an operator wants, or those that serve have nobody to stand in for them; each where it may be. */
        private void assertSettled(ModelPlacement placement, List<Pin> pinned, List<NodeFacts> facts) {
            assertThat(pinned).as(() -> where() + ": " + placement).hasSizeLessThanOrEqualTo(placement.replicas());
            for (Pin pin : pinned) {
                if (!placement.allows(pin.node())) {
                    assertThat(target(facts, pin.replica()))
                            .as(() -> where() + ": " + pin + " of " + placement)
                            .isEmpty();
                }
            }
        }

        private Optional<NodeFacts> target(List<NodeFacts> facts, ReplicaId replica) {
            List<NodeFacts> allowed = facts.stream()
                    .filter(node -> table.placement(replica.model())
                            .filter(placement -> !placement.allows(node.id()))
                            .isEmpty())
                    .toList();
            return TargetCheck.choose(allowed, replica, table.pins(), table.draining());
        }

        private String where() {
            String states = nodes.values().stream()
                    .map(node -> node.id + (node.alive ? "" : "(dead)") + (node.leaving ? "(leaving)" : "") + " "
                            + node.held.values())
                    .collect(Collectors.joining("\n  "));
            return "seed " + seed + ", event " + now + ": " + event + "\n  " + states + "\n  pins " + table.pins()
                    + "\n  draining " + table.draining() + "\n  placements " + table.placements()
                    + "\n  running "
                    + table.changes().stream()
                            .filter(change -> change.state() == Change.State.RUNNING)
                            .toList()
                    + "\n";
        }
    }
}

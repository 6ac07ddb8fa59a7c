package dev.meridian.placement;

import dev.meridian.protocol.cluster.Change;
import dev.meridian.protocol.cluster.ModelInfo;
import dev.meridian.protocol.cluster.Pin;
import dev.meridian.protocol.cluster.PinMessage;
import dev.meridian.protocol.cluster.PinTable;
import dev.meridian.protocol.cluster.PlacementCommand;
import dev.meridian.protocol.cluster.PlacementReply;
import dev.meridian.protocol.cluster.ReplicaState;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one writer of a region's pins: a cluster singleton of the region.
 *
 * <ul>
 *   <li>gathering: asks the keepers of all nodes of the region which table they have, until all have answered or a moment has
 *       passed; then turns to the newest one
 *   <li>deciding: compares, every interval, what is with what should be, and takes operators' commands
 * </ul>
 *
 * <p>It remembers nothing that is not in the table, so its successor on another node goes on where it stopped. A command is
 * answered once this node has its table on disk, and a second one of the region has it: what an operator was told outlives
 * this node.
 */
public final class RegionPlacement {
    private static final Logger LOG = LoggerFactory.getLogger(RegionPlacement.class);
    private static final Duration GATHER_FOR = Duration.ofMillis(800);
    /** An operator waits for so long until another node has a change, too; then it is told although none may have it. */
    private static final Duration SHARE_WITHIN = Duration.ofSeconds(1);

    /** What the placement hears. */
    public sealed interface Command {}

    private record FromOperator(PlacementCommand command) implements Command {}

    private record FromKeeper(PinMessage message) implements Command {}

    private enum Timer implements Command {
        GATHERED,
        PLAN
    }

    /**
     * What it works with.
     *
     * @param region its own
     * @param members ids of the region's nodes that belong to the cluster
     * @param view what this node knows now
     * @param tables the pins of each region as this node knows them
     * @param newest the newest table of the region that this node has: a node that comes late may bring a newer one
     * @param keepers of all nodes of the region, this one's first
     * @param nanoClock the clock of {@code view}
     */
    public record Surroundings(
            String region,
            PlacementSettings settings,
            Supplier<Collection<String>> members,
            Supplier<ClusterView> view,
            Function<String, PinTable> tables,
            Supplier<PinTable> newest,
            Supplier<List<ActorRef<PinMessage>>> keepers,
            Clock clock,
            LongSupplier nanoClock) {}

    private final Surroundings around;
    private final ActorRef<PinMessage> fromKeepers;
    private final long startedNanos;
    private final Deque<Unshared> unshared = new ArrayDeque<>();
    private final PolicyTurn policy;
    private PinTable table;
    private int unanswered;

    /** The newest generation that another node of the region has. */
    private long sharedGeneration;

    /** An answer that waits until what it tells of is on more nodes than this one. */
    private record Unshared(long generation, long sinceNanos, ActorRef<PlacementReply> replyTo, PlacementReply reply) {}

    private RegionPlacement(ActorContext<Command> context, Surroundings around) {
        this.around = around;
        fromKeepers = context.messageAdapter(PinMessage.class, FromKeeper::new);
        startedNanos = around.nanoClock().getAsLong();
        table = PinTable.empty(around.region());
        policy = new PolicyTurn(around);
    }

    /** A placement, gathering. */
    public static Behavior<PlacementCommand> create(Surroundings around) {
        Behavior<Command> placement = Behaviors.withStash(
                1000,
                stash -> Behaviors.setup(context -> Behaviors.withTimers(timers -> {
                    RegionPlacement created = new RegionPlacement(context, around);
                    timers.startSingleTimer(Timer.GATHERED, GATHER_FOR);
                    timers.startTimerWithFixedDelay(
                            Timer.PLAN, around.settings().planInterval());
                    List<ActorRef<PinMessage>> keepers = around.keepers().get();
                    keepers.forEach(keeper -> keeper.tell(new PinMessage.Ask(created.fromKeepers)));
                    created.unanswered = keepers.size();
                    return Behaviors.receiveMessage(command -> {
                        switch (command) {
                            case FromKeeper(PinMessage message) -> {
                                created.onKeeper(message);
                                created.unanswered--;
                                if (created.unanswered == 0) {
                                    context.getSelf().tell(Timer.GATHERED);
                                }
                            }
                            case FromOperator _ -> stash.stash(command);
                            case Timer.PLAN -> {}
                            case Timer.GATHERED -> {
                                LOG.info(
                                        "the placement of {} starts from generation {}",
                                        around.region(),
                                        created.table.generation());
                                timers.cancel(Timer.GATHERED);
                                return stash.unstashAll(created.deciding());
                            }
                        }
                        return Behaviors.same();
                    });
                })));
        return Behaviors.transformMessages(
                PlacementCommand.class, placement, builder -> builder.match(PlacementCommand.class, FromOperator::new));
    }

    private Behavior<Command> deciding() {
        return Behaviors.receiveMessage(command -> {
            switch (command) {
                case FromOperator(PlacementCommand asked) -> onOperator(asked);
                case FromKeeper(PinMessage message) -> onKeeper(message);
                case Timer.PLAN -> {
                    plan();
                    answerShared();
                }
                case Timer.GATHERED -> {} // The last answer and the end of the time came together.
            }
            return Behaviors.same();
        });
    }

    private void onKeeper(PinMessage message) {
        if (message instanceof PinMessage.Newest(PinTable known)) {
            turnTo(known);
            sharedGeneration = Math.max(sharedGeneration, known.generation());
            answerShared();
        }
    }

    private void answerShared() {
        while (!unshared.isEmpty() && mayBeTold(unshared.getFirst())) {
            Unshared first = unshared.removeFirst();
            first.replyTo().tell(first.reply());
        }
    }

    private boolean mayBeTold(Unshared one) {
        boolean onDisk = around.newest().get().generation() >= one.generation();
        boolean elsewhere =
                sharedGeneration >= one.generation() || around.keepers().get().size() == 1;
        boolean late = around.nanoClock().getAsLong() - one.sinceNanos() >= SHARE_WITHIN.toNanos();
        return (onDisk && elsewhere) || late;
    }

    private void turnTo(PinTable known) {
        if (known.generation() > table.generation()) {
            table = known;
        }
    }

    private List<NodeFacts> facts() {
        return NodeFacts.of(
                around.view().get(),
                around.region(),
                around.settings(),
                around.nanoClock().getAsLong());
    }

    private Situation situation() {
        return new Situation(
                table,
                facts(),
                servedElsewhere(),
                forbidden(),
                around.settings(),
                policy.wanted(),
                around.clock().millis());
    }

    private Set<String> forbidden() {
        return around.view().get().known().stream()
                .filter(model -> !model.residency().allows(around.region()))
                .map(ModelInfo::id)
                .collect(Collectors.toSet());
    }

    private Set<String> servedElsewhere() {
        long now = around.nanoClock().getAsLong();
        return around.view().get().nodes().stream()
                .filter(node -> !node.status().region().equals(around.region())
                        && !node.status().leaving()
                        && node.silentNanos(now) <= around.settings().silence().toNanos())
                .flatMap(node -> node.status().replicas().stream())
                .filter(replica -> replica.state() == ReplicaState.READY)
                .map(replica -> replica.model().id())
                .collect(Collectors.toSet());
    }

    private void plan() {
        turnTo(around.newest().get());
        if (knowsEnough()) {
            policy.ask(table);
            write(PlacementPlanner.plan(
                    table, facts(), policy.wanted(), around.clock().millis()));
        }
    }

    /** At its start it has not heard of everybody yet, and whom it has not heard of it would take for gone. */
    private boolean knowsEnough() {
        ClusterView view = around.view().get();
        boolean all =
                around.members().get().stream().allMatch(node -> view.node(node).isPresent())
                        && table.pins().stream().allMatch(pin -> knows(view, pin));
        long patience =
                around.settings().rehomeAfter().toNanos() + TimeUnit.MILLISECONDS.toNanos(GATHER_FOR.toMillis());
        return all || around.nanoClock().getAsLong() - startedNanos >= patience;
    }

    private static boolean knows(ClusterView view, Pin pin) {
        String next = pin.next();
        return view.node(pin.node()).isPresent()
                && (next == null || view.node(next).isPresent());
    }

    /** Nothing but this makes a table known, so all that one decides has its event. */
    private void write(PinTable next) {
        if (next.generation() > table.generation()) {
            table = PlacementEvents.follow(
                    table, next, facts(), policy.plan(), around.clock().millis());
            around.keepers().get().getFirst().tell(new PinMessage.Newest(table));
        }
    }

    private void onOperator(PlacementCommand command) {
        turnTo(around.newest().get());
        long before = table.generation();
        PlacementCommands.Decision decision = new PlacementCommands(situation()).decide(command);
        write(decision.table());
        PlacementReply reply = decision.reply();
        if (reply instanceof PlacementReply.Planned(Change change)) {
            LOG.info("{} {} by {}: {}", change.id(), change.verb(), change.by(), change.plan());
        }
        if (decision.table().generation() == before) {
            command.replyTo().tell(reply);
            return;
        }
        around.keepers().get().stream().skip(1).forEach(other -> {
            other.tell(new PinMessage.Newest(table));
            other.tell(new PinMessage.Ask(fromKeepers));
        });
        unshared.add(new Unshared(table.generation(), around.nanoClock().getAsLong(), command.replyTo(), reply));
        answerShared();
    }
}

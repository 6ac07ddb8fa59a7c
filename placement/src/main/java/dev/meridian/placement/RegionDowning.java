package dev.meridian.placement;

import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.LongSupplier;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.actor.Props;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.eventstream.EventStream;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.ClusterEvent;
import org.apache.pekko.cluster.DowningProvider;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.Down;
import org.apache.pekko.remote.artery.ThisActorSystemQuarantinedEvent;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import scala.Option;
import scala.concurrent.duration.FiniteDuration;

/**
 * Takes nodes of the own region out that are unreachable for long, by {@link SplitDecision}. Made by Pekko, from
 * {@code pekko.cluster.downing-provider-class}. Nodes of other regions are not its business: a region that is cut off
 * stays a region.
 */
public final class RegionDowning extends DowningProvider {
    private static final Logger LOG = LoggerFactory.getLogger(RegionDowning.class);
    private static final Duration LOOK = Duration.ofMillis(500);

    private final Duration downAfter;

    public RegionDowning(ActorSystem system) {
        downAfter = DowningSettings.of(system).downAfter();
    }

    @Override
    public FiniteDuration downRemovalMargin() {
        return FiniteDuration.apply(downAfter.toMillis(), "ms");
    }

    @Override
    public Option<Props> downingActorProps() {
        return Option.apply(Adapter.props(() -> behavior(downAfter, System::nanoTime)));
    }

    /** What it hears. */
    private sealed interface Command {}

    private enum Look implements Command {
        NOW
    }

    private record Quarantined(ThisActorSystemQuarantinedEvent event) implements Command {}

    private static Behavior<Command> behavior(Duration downAfter, LongSupplier nanoClock) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers -> {
            timers.startTimerWithFixedDelay(Look.NOW, LOOK);
            Watch watch = new Watch(context, downAfter, nanoClock);
            context.getSystem()
                    .eventStream()
                    .tell(new EventStream.Subscribe<>(
                            ThisActorSystemQuarantinedEvent.class,
                            context.messageAdapter(ThisActorSystemQuarantinedEvent.class, Quarantined::new)));
            return Behaviors.receiveMessage(command -> {
                switch (command) {
                    case Look.NOW -> watch.look();
                    case Quarantined(ThisActorSystemQuarantinedEvent event) -> watch.onQuarantined(event);
                }
                return Behaviors.same();
            });
        }));
    }

    /** Knows since when the same nodes are unreachable. */
    private static final class Watch {
        private final Cluster cluster;
        private final ClusterViews views;
        private final Duration downAfter;
        private final LongSupplier nanoClock;
        private Set<Member> unreachable = Set.of();
        private long sinceNanos;

        Watch(ActorContext<?> context, Duration downAfter, LongSupplier nanoClock) {
            cluster = Cluster.get(context.getSystem());
            views = ClusterViews.get(context.getSystem());
            this.downAfter = downAfter;
            this.nanoClock = nanoClock;
        }

        void look() {
            ClusterEvent.CurrentClusterState state = cluster.state();
            String region = cluster.selfMember().dataCenter();
            Set<Member> now = new HashSet<>(Members.living(state.getUnreachable())
                    .filter(member -> member.dataCenter().equals(region))
                    .toList());
            if (!now.equals(unreachable)) {
                unreachable = now;
                sinceNanos = nanoClock.getAsLong();
            } else if (!now.isEmpty() && nanoClock.getAsLong() - sinceNanos >= downAfter.toNanos()) {
                act(state, region);
            }
        }

        /** While this node stood still the others have taken it out; only a new start brings it back. */
        void onQuarantined(ThisActorSystemQuarantinedEvent event) {
            if (!cluster.isTerminated()) {
                LOG.error("{} has taken this node out of the cluster", event.remoteAddress());
                cluster.manager().tell(new Down(cluster.selfMember().address()));
            }
        }

        private void act(ClusterEvent.CurrentClusterState state, String region) {
            List<Member> all = Members.living(state).toList();
            List<String> reachable = all.stream()
                    .filter(member -> member.dataCenter().equals(region) && !unreachable.contains(member))
                    .flatMap(Members::id)
                    .toList();
            List<String> lost = unreachable.stream().flatMap(Members::id).toList();
            List<NodeView> witnesses = witnesses(region);
            Set<String> heard = new HashSet<>();
            witnesses.forEach(witness -> heard.addAll(witness.status().hears()));
            SplitDecision.Sight sight = new SplitDecision.Sight(
                    reachable,
                    lost,
                    all.stream().anyMatch(member -> !member.dataCenter().equals(region)),
                    witnesses.size(),
                    heard);
            switch (SplitDecision.decide(sight)) {
                case DOWN_OTHERS -> {
                    LOG.warn("{} of region {} are taken out: {}", lost, region, sight);
                    unreachable.forEach(member -> cluster.manager().tell(new Down(member.address())));
                }
                case DOWN_SELF -> {
                    LOG.error("this node takes itself out: {}", sight);
                    cluster.manager().tell(new Down(cluster.selfMember().address()));
                }
                case WAIT -> {}
            }
        }

        /** Nodes of other regions that were heard a moment ago. */
        private List<NodeView> witnesses(String region) {
            long now = nanoClock.getAsLong();
            return views.newest().nodes().stream()
                    .filter(node ->
                            !node.status().region().equals(region) && node.silentNanos(now) <= downAfter.toNanos() / 2)
                    .toList();
        }
    }
}

package dev.meridian.placement;

import dev.meridian.placement.policy.PlacementPlan;
import dev.meridian.placement.policy.PlacementPlan.Target;
import dev.meridian.protocol.cluster.Change;
import dev.meridian.protocol.cluster.Change.State;
import dev.meridian.protocol.cluster.Change.Undone;
import dev.meridian.protocol.cluster.Change.Verb;
import dev.meridian.protocol.cluster.Pin;
import dev.meridian.protocol.cluster.PinTable;
import dev.meridian.protocol.cluster.PlacementEvent;
import dev.meridian.protocol.cluster.PlacementEvent.Kind;
import dev.meridian.protocol.cluster.ReplicaId;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What a new table decides, told as events: one for each pin that is another than before, and one for each person's change that
 * begins or is over. Who wanted it and why follows from the tables, the policy's plan and what the nodes say; a pure function,
 * called in one place, so that nothing is decided without its event.
 */
final class PlacementEvents {
    private static final String BY_POLICY = "policy:";

    private final PinTable before;
    private final PinTable after;
    private final RegionNodes nodes;
    private final PlacementPlan plan;
    private final long nowMillis;
    private final List<PlacementEvent> events = new ArrayList<>();

    /** Who wanted it, and why. */
    private record Cause(String by, String reason) {
        static Cause placement(String reason) {
            return new Cause(PlacementEvent.PLACEMENT, reason);
        }
    }

    private PlacementEvents(
            PinTable before, PinTable after, Collection<NodeFacts> facts, PlacementPlan plan, long nowMillis) {
        this.before = before;
        this.after = after;
        this.plan = plan;
        this.nowMillis = nowMillis;
        nodes = new RegionNodes(facts);
    }

    /**
     * The new table with the events that led to it, of which the oldest are forgotten; {@code after} itself where it is no newer.
     *
     * @param plan the policy's last one
     */
    static PinTable follow(
            PinTable before, PinTable after, Collection<NodeFacts> facts, PlacementPlan plan, long nowMillis) {
        if (after.generation() <= before.generation()) {
            return after;
        }
        PlacementEvents derived = new PlacementEvents(before, after, facts, plan, nowMillis);
        derived.changes(false);
        derived.pins();
        derived.changes(true);
        List<PlacementEvent> all = new ArrayList<>(before.events());
        all.addAll(derived.events);
        return after.withEvents(all.subList(Math.max(0, all.size() - PinTable.MAX_EVENTS), all.size()));
    }

    private void add(
            Kind kind,
            Cause cause,
            String model,
            @Nullable ReplicaId replica,
            @Nullable String node,
            @Nullable String from) {
        events.add(new PlacementEvent(
                after.generation(),
                events.size(),
                nowMillis,
                kind,
                cause.by(),
                model,
                replica,
                node,
                from,
                cut(cause.reason())));
    }

    private static String cut(String reason) {
        if (reason.length() <= PlacementEvent.MAX_REASON) {
            return reason;
        }
        String more = "…";
        int end = PlacementEvent.MAX_REASON - more.length();
        return reason.substring(0, Character.isHighSurrogate(reason.charAt(end - 1)) ? end - 1 : end) + more;
    }

    /** @param over those that have ended; else those that have begun and run */
    private void changes(boolean over) {
        for (Change change : after.changes()) {
            boolean same = before.change(change.id())
                    .filter(old -> old.state() == change.state())
                    .isPresent();
            if (!same && change.state().isOver() == over) {
                ReplicaId replica = change.replica();
                String model = change.effect().model();
                add(
                        Kind.CHANGE,
                        new Cause(change.by(), over ? ended(change) : what(change) + " begins"),
                        model != null ? model : replica != null ? replica.model() : "",
                        replica,
                        change.to(),
                        change.from().isEmpty() ? null : change.from());
            }
        }
    }

    private static String ended(Change change) {
        String how = what(change) + " " + change.state().wireName();
        return change.progress().isEmpty() ? how : how + ": " + change.progress();
    }

    private static String what(Change change) {
        Undone undone = change.effect().undoes();
        return change.id() + ": " + change.verb().wireName() + (undone == null ? "" : " of " + undone.id());
    }

    private void pins() {
        Set<ReplicaId> replicas = new TreeSet<>();
        before.pins().forEach(pin -> replicas.add(pin.replica()));
        after.pins().forEach(pin -> replicas.add(pin.replica()));
        for (ReplicaId replica : replicas) {
            Pin old = before.pin(replica).orElse(null);
            Pin now = after.pin(replica).orElse(null);
            if (old == null && now != null) {
                add(Kind.PLACED, placed(now), replica.model(), replica, now.node(), null);
            } else if (old != null && now == null) {
                add(Kind.REMOVED, removed(old), replica.model(), replica, null, old.node());
            } else if (old != null && now != null && !old.equals(now)) {
                changed(old, now);
            }
        }
    }

    private void changed(Pin old, Pin now) {
        String model = now.replica().model();
        if (!old.node().equals(now.node())) {
            add(Kind.MOVED, moved(old, now), model, now.replica(), now.node(), old.node());
        } else if (now.next() != null) {
            add(Kind.MOVING, moves(now), model, now.replica(), now.next(), now.node());
        } else {
            add(Kind.STAYED, stayed(old), model, now.replica(), now.node(), old.next());
        }
    }

    private Cause placed(Pin pin) {
        return person(pin, null).orElseGet(() -> wanted(pin));
    }

    private Cause removed(Pin old) {
        Optional<Cause> person = person(old, old.node());
        boolean known = Spread.variants(nodes.all())
                .contains(
                        new Spread.Variant(old.replica().model(), old.replica().digest()));
        Optional<String> failure = nodes.failure(old.node(), old);
        boolean isTooMuch =
                target(old).filter(target -> target.replicas() < target.held()).isPresent();
        if (person.isPresent()) {
            return person.get();
        } else if (!known) {
            return Cause.placement("no node has its bundle any more");
        }
        return failure.isPresent() && !isTooMuch ? Cause.placement(failure.get()) : wanted(old);
    }

    private Cause moved(Pin old, Pin now) {
        boolean planned = now.node().equals(old.next());
        Optional<String> failure = nodes.failure(old.node(), old);
        if (failure.isPresent() && !planned) {
            return Cause.placement(failure.get());
        }
        return person(old, old.node())
                .or(() -> failure.map(Cause::placement))
                .orElseGet(() -> Cause.placement(whyOff(old)));
    }

    private Cause moves(Pin now) {
        return person(now, now.node()).orElseGet(() -> Cause.placement(whyOff(now)));
    }

    private Cause stayed(Pin old) {
        String next = String.valueOf(old.next());
        return Cause.placement(nodes.failure(next, old)
                .map(failure -> failure + " before it served")
                .orElse(next + " is to hold it no longer"));
    }

    /** Why a replica leaves its node without anybody's asking for that just now. */
    private String whyOff(Pin pin) {
        if (nodes.isLeaving(pin.node())) {
            return pin.node() + " is about to stop";
        } else if (after.draining().contains(pin.node())) {
            return pin.node() + " is drained";
        }
        return after.placement(pin.replica().model())
                        .filter(placement -> !placement.allows(pin.node()))
                        .isPresent()
                ? "it is placed on other nodes than " + pin.node()
                : "it was on its way already";
    }

    /** Why a region has so many replicas of a model. */
    private Cause wanted(Pin pin) {
        return after.placement(pin.replica().model())
                .map(placement -> Cause.placement("an operator has placed "
                        + PlanText.count(placement.replicas(), "replica") + " of " + placement.model()))
                .or(() -> target(pin).map(target -> new Cause(BY_POLICY + plan.policy(), target.reason())))
                .orElseGet(() -> Cause.placement("so many replicas are usual"));
    }

    private Optional<Target> target(Pin pin) {
        return plan.target(after.region(), pin.replica().model());
    }

    /** The person's change by which a pin is another one now, if there is one. */
    private Optional<Cause> person(Pin pin, @Nullable String from) {
        return after.changes().stream()
                .filter(change -> isAtWork(change) && explains(change, pin, from))
                .reduce((_, last) -> last)
                .map(change -> new Cause(change.by(), what(change)));
    }

    /** Whether it ran when this table was thought through. */
    private boolean isAtWork(Change change) {
        return change.state() == State.RUNNING
                || before.change(change.id())
                        .filter(old -> old.state() != State.RUNNING)
                        .isEmpty();
    }

    private static boolean explains(Change change, Pin pin, @Nullable String from) {
        boolean undo = change.verb() == Verb.UNDO;
        return switch (change.kind()) {
            case MOVE -> pin.replica().equals(change.replica());
            case DRAIN ->
                undo
                        ? change.effect().pins().stream()
                                .anyMatch(back -> back.replica().equals(pin.replica()))
                        : change.from().equals(from);
            case UNDRAIN -> undo && change.from().equals(from);
            case PLACE, UNPLACE ->
                Objects.equals(change.effect().model(), pin.replica().model());
            case UNDO -> false;
        };
    }
}

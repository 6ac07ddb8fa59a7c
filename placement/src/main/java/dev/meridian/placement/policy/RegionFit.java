package dev.meridian.placement.policy;

import dev.meridian.placement.policy.PlacementPlan.Target;
import dev.meridian.placement.policy.PolicyView.Held;
import dev.meridian.placement.policy.PolicyView.Host;
import dev.meridian.placement.policy.PolicyView.Model;
import dev.meridian.placement.policy.PolicyView.Region;
import dev.meridian.placement.policy.Wish.Rank;
import dev.meridian.protocol.cluster.ModelPlacement;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Which of a region's wishes its nodes have memory for: one replica of a model on a node at most, those that are there where
 * they are. What was placed a moment ago stays, and so does the last replica of a model while it serves streams, unless
 * somebody has waited for room too long.
 */
final class RegionFit {
    private final PolicySettings settings;
    private final Map<String, Model> models;
    private final Region region;
    private final Map<String, Room> rooms = new TreeMap<>();
    private final Map<String, List<Held>> held = new HashMap<>();
    private final boolean impatient;

    /** The memory of a node: what is granted, and with what is there and was not looked at yet. */
    private static final class Room {
        final Host host;
        final Set<String> granted = new HashSet<>();
        long free;
        long untouched;

        Room(Host host) {
            this.host = host;
            free = host.budgetBytes();
            untouched = free;
        }
    }

    /** One replica; {@code at} is the node that has it, null of a new one. */
    private record Claim(String model, int number, @Nullable Held at, Rank rank, double weight) {}

    /** @param longestWaitMillis for a load in this region */
    RegionFit(PolicySettings settings, PolicyView view, Region region, long longestWaitMillis) {
        this.settings = settings;
        this.region = region;
        models = view.models();
        impatient = longestWaitMillis >= settings.patience().toMillis();
        region.hosts().stream().filter(Host::usable).forEach(host -> rooms.put(host.id(), new Room(host)));
        for (Held one : region.held()) {
            held.computeIfAbsent(one.model(), _ -> new ArrayList<>()).add(one);
            Room room = rooms.get(one.host());
            if (room != null) {
                room.untouched -= neededBytes(room, one.model());
            }
        }
    }

    private long neededBytes(Room room, String model) {
        Model known = models.get(model);
        return known == null ? 0 : room.host.neededBytes(known);
    }

    int held(String model) {
        return held.getOrDefault(model, List.of()).size();
    }

    Set<String> heldModels() {
        return held.keySet();
    }

    /** Whether a node has it, with memory enough if that were empty, and an operator does not forbid it. */
    boolean canHold(String model) {
        ModelPlacement placement = region.placements().get(model);
        Model known = models.get(model);
        return known != null
                && known.residency().allows(region.id())
                && (placement == null || placement.replicas() > 0)
                && hasRoomFor(known);
    }

    private boolean hasRoomFor(Model model) {
        for (Room room : rooms.values()) {
            if (room.host.bundles().contains(model.id()) && room.host.neededBytes(model) <= room.host.budgetBytes()) {
                return true;
            }
        }
        return false;
    }

    /** What becomes of the wishes, by model; those of models that an operator has placed do not count. */
    List<Target> fit(Collection<Wish> wishes) {
        Map<String, Wish> byModel = new TreeMap<>();
        wishes.forEach(wish -> byModel.put(wish.model(), wish));
        held.keySet().forEach(model -> byModel.computeIfAbsent(model, RegionFit::nothing));
        region.placements().values().forEach(placement -> byModel.put(placement.model(), placed(placement)));
        List<Claim> claims = new ArrayList<>();
        byModel.values().forEach(wish -> claim(wish, claims));
        claims.sort(Comparator.comparing(Claim::rank)
                .thenComparing(Comparator.comparingDouble(Claim::weight).reversed())
                .thenComparing(claim -> claim.at() == null)
                .thenComparing(Claim::model)
                .thenComparingInt(Claim::number));
        Map<String, Integer> granted = new HashMap<>();
        for (Claim claim : claims) {
            if (grant(claim)) {
                granted.merge(claim.model(), 1, Integer::sum);
            }
        }
        List<Target> targets = new ArrayList<>();
        for (Wish wish : byModel.values()) {
            int has = held(wish.model());
            int gets = granted.getOrDefault(wish.model(), 0);
            if (has > 0 || gets > 0 || wish.rank() == Rank.WAITED_FOR) {
                targets.add(new Target(region.id(), wish.model(), has, gets, wish.replicas(), reason(wish, gets)));
            }
        }
        return targets;
    }

    private static Wish nothing(String model) {
        return new Wish(model, 0, 0, Rank.UNASKED, 0, "nobody asks for it");
    }

    private static Wish placed(ModelPlacement placement) {
        return new Wish(placement.model(), placement.replicas(), 0, Rank.PLACED, 0, "an operator has said so");
    }

    private static String reason(Wish wish, int gets) {
        if (gets < wish.replicas()) {
            return wish.reason() + "; no room for more than " + gets + " of " + wish.replicas();
        }
        return gets > wish.replicas()
                ? "more than it needs (" + wish.reason() + "), which stays a while"
                : wish.reason();
    }

    private void claim(Wish wish, List<Claim> claims) {
        List<Held> there = new ArrayList<>(held.getOrDefault(wish.model(), List.of()));
        there.sort(Comparator.comparing((Held one) -> !isProtected(one, wish))
                .thenComparing(one -> !one.ready())
                .thenComparing(Comparator.comparingInt(Held::streams).reversed())
                .thenComparing(Comparator.comparingLong(Held::ageMillis).reversed())
                .thenComparing(Held::host));
        for (int i = 0; i < Math.max(wish.replicas(), there.size()); i++) {
            Held at = i < there.size() ? there.get(i) : null;
            boolean kept = i < wish.keptWarm() && wish.rank().compareTo(Rank.KEPT_WARM) > 0;
            if (at != null && isProtected(at, wish)) {
                claims.add(new Claim(wish.model(), i, at, Rank.PROTECTED, wish.weight()));
            } else if (i < wish.replicas()) {
                claims.add(
                        new Claim(wish.model(), i, at, kept ? Rank.KEPT_WARM : wish.rank(), kept ? 0 : wish.weight()));
            }
        }
    }

    private boolean isProtected(Held one, Wish wish) {
        boolean young =
                !one.ready() || one.ageMillis() < settings.minResidence().toMillis();
        boolean serves = one.streams() > 0 && !impatient && held(one.model()) <= Math.max(1, wish.replicas());
        return young || serves;
    }

    private boolean grant(Claim claim) {
        Held at = claim.at();
        if (at != null) {
            Room room = rooms.get(at.host());
            if (room == null) {
                return true; // Its node is about to go, and takes its memory along.
            }
            long needed = neededBytes(room, claim.model());
            if (room.free < needed) {
                room.untouched += needed;
                return false;
            }
            room.free -= needed;
            room.granted.add(claim.model());
            return true;
        }
        Room room = roomFor(claim.model());
        if (room != null) {
            long needed = neededBytes(room, claim.model());
            room.free -= needed;
            room.untouched -= needed;
            room.granted.add(claim.model());
        }
        return room != null;
    }

    /** Where nothing needs to go for it, if there is such a node. */
    private @Nullable Room roomFor(String model) {
        ModelPlacement placement = region.placements().get(model);
        Set<String> taken = new HashSet<>();
        held.getOrDefault(model, List.of()).forEach(one -> taken.add(one.host()));
        Room best = null;
        for (Room room : rooms.values()) {
            boolean may = room.free >= neededBytes(room, model)
                    && room.host.bundles().contains(model)
                    && !room.granted.contains(model)
                    && !taken.contains(room.host.id())
                    && (placement == null || placement.allows(room.host.id()));
            if (may && (best == null || isBetter(room, best, model))) {
                best = room;
            }
        }
        return best;
    }

    private boolean isBetter(Room one, Room other, String model) {
        boolean fits = one.untouched >= neededBytes(one, model);
        boolean otherFits = other.untouched >= neededBytes(other, model);
        return fits != otherFits ? fits : one.untouched > other.untouched;
    }
}

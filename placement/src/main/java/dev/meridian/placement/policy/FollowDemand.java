package dev.meridian.placement.policy;

import dev.meridian.placement.policy.PlacementPlan.Target;
import dev.meridian.placement.policy.PolicyView.Model;
import dev.meridian.placement.policy.PolicyView.Region;
import dev.meridian.placement.policy.Wish.Rank;
import dev.meridian.protocol.cluster.ModelDemand;
import dev.meridian.protocol.cluster.ModelPlacement;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * Replicas where the users are. A region where a model is asked for often enough gets its own; as many as its streams need, within
 * the model's rules. Where it is asked for less, the nearest region that has one anyway serves it, and counts those users as its
 * own; where none has one, the users' own region keeps the last. Hysteresis: a replica is added at full load and given up at three
 * quarters of what is left; a region becomes warm at {@code warm-above} and cold below half of it.
 */
final class FollowDemand implements PlacementPolicy {
    static final String NAME = "follow-demand";

    private static final double SHRINK_SHARE = 0.75;
    private static final double COOL_SHARE = 0.5;
    private static final double SECONDS_PER_MINUTE = 60;
    /** What is there is worth so much more than what would have to be loaded. */
    private static final double HELD_BONUS = 1.5;

    private final PolicySettings settings;

    FollowDemand(PolicySettings settings) {
        this.settings = settings;
    }

    @Override
    public PlacementPlan plan(PolicyView view, Demand demand) {
        return new Planning(view, demand).plan();
    }

    /** One call. */
    private final class Planning {
        private final PolicyView view;
        private final Demand demand;
        private final Map<String, RegionFit> fits = new HashMap<>();
        private final Map<String, Map<String, Wish>> wishes = new HashMap<>();
        /** Regions by their distance from one, which is asked for again and again. */
        private final Map<String, List<Region>> nearest = new HashMap<>();

        Planning(PolicyView view, Demand demand) {
            this.view = view;
            this.demand = demand;
            for (Region region : view.regions()) {
                fits.put(region.id(), new RegionFit(settings, view, region, longestWaitMillis(region)));
            }
        }

        private long longestWaitMillis(Region region) {
            return demand.in(region.id()).values().stream()
                    .mapToLong(ModelDemand::waitingMillis)
                    .max()
                    .orElse(0);
        }

        PlacementPlan plan() {
            view.regions().forEach(this::wishForItself);
            serveTheRest();
            Map<String, List<Target>> targets = new LinkedHashMap<>();
            view.regions()
                    .forEach(region -> targets.put(
                            region.id(), fit(region).fit(wishes(region).values())));
            view.regions().forEach(region -> helpOut(region, targets));
            return new PlacementPlan(
                    NAME, targets.values().stream().flatMap(List::stream).toList());
        }

        /** Where a model that is waited for has no room, the nearest other region that has some takes it. */
        private void helpOut(Region region, Map<String, List<Target>> targets) {
            for (Target target : targets.getOrDefault(region.id(), List.of())) {
                String model = target.model();
                Wish wish = wishes(region).get(model);
                if (wish != null
                        && wish.rank() == Rank.WAITED_FOR
                        && target.replicas() == 0
                        && targets.values().stream().noneMatch(all -> isHeld(all, model))) {
                    long wait = longestWaitMillis(region);
                    nearest.computeIfAbsent(region.id(), _ -> nearest(region)).stream()
                            .filter(other ->
                                    fit(other).canHold(model) && !wishes(other).containsKey(model))
                            .map(other -> with(wish, other, wait))
                            .filter(all -> isHeld(all, model))
                            .findFirst()
                            .ifPresent(all -> targets.put(all.getFirst().region(), all));
                }
            }
        }

        private static boolean isHeld(List<Target> targets, String model) {
            return targets.stream().anyMatch(target -> target.model().equals(model) && target.replicas() > 0);
        }

        /** What becomes of a region's wishes with one more. */
        private List<Target> with(Wish wish, Region region, long waitMillis) {
            List<Wish> all = new ArrayList<>(wishes(region).values());
            all.add(wish);
            long wait = Math.max(waitMillis, longestWaitMillis(region));
            return new RegionFit(settings, view, region, wait).fit(all);
        }

        private RegionFit fit(Region region) {
            return Objects.requireNonNull(fits.get(region.id()));
        }

        private Map<String, Wish> wishes(Region region) {
            return wishes.computeIfAbsent(region.id(), _ -> new HashMap<>());
        }

        private void wishForItself(Region region) {
            Map<String, ModelDemand> asked = demand.in(region.id());
            for (Model model : view.models().values()) {
                ModelDemand own = asked.get(model.id());
                int least = settings.rules(model.id()).minReplicas();
                boolean matters = least > 0
                        || own != null
                        || fit(region).held(model.id()) > 0
                        || settings.rules(model.id()).isPreWarmed(view.nowMillis());
                if (matters && fit(region).canHold(model.id())) {
                    wish(
                            region,
                            model,
                            own == null ? ModelDemand.none(model.id()) : own,
                            own != null && isWarm(region, own));
                }
            }
        }

        private boolean isWarm(Region region, ModelDemand asked) {
            ModelRules rules = settings.rules(asked.model());
            double perMinute = asked.requestsPerSecond() * SECONDS_PER_MINUTE;
            boolean held = fit(region).held(asked.model()) > 0;
            return asked.waiting() > 0
                    || perMinute >= settings.warmAbove()
                    || (held && perMinute >= COOL_SHARE * settings.warmAbove())
                    || (held
                            && asked.idleMillis() < rules.idleUnload().toMillis()
                            && !isServedElsewhere(region, asked));
        }

        /** Whether a region with more users of it has it, so that these few need none of their own. */
        private boolean isServedElsewhere(Region region, ModelDemand asked) {
            return view.regions().stream()
                    .filter(other ->
                            !other.id().equals(region.id()) && fit(other).held(asked.model()) > 0)
                    .anyMatch(other -> {
                        double there = demand.of(other.id(), asked.model()).requestsPerSecond();
                        int more = Double.compare(there, asked.requestsPerSecond());
                        return more > 0 || (more == 0 && other.id().compareTo(region.id()) < 0);
                    });
        }

        /** @param warm whether it is worth a replica at all */
        private void wish(Region region, Model model, ModelDemand asked, boolean warm) {
            ModelRules rules = settings.rules(model.id());
            int has = fit(region).held(model.id());
            boolean preWarmed = rules.isPreWarmed(view.nowMillis());
            int needed = warm ? Math.max(1, size(rules, asked.streams(), has)) : preWarmed ? 1 : 0;
            int replicas = Math.min(Math.max(needed, rules.minReplicas()), rules.maxReplicas());
            if (replicas == 0) {
                return;
            }
            Rank rank =
                    asked.waiting() > 0 && has == 0 ? Rank.WAITED_FOR : warm || preWarmed ? Rank.ASKED : Rank.UNASKED;
            double value = asked.requestsPerSecond() * SECONDS_PER_MINUTE + asked.streams();
            double weight = value * (has > 0 ? HELD_BONUS : 1) / Math.max(1, model.neededBytes());
            int keptWarm = rules.keepWarm() ? rules.minReplicas() : 0;
            wishes(region)
                    .put(
                            model.id(),
                            new Wish(model.id(), replicas, keptWarm, rank, weight, reason(asked, warm, preWarmed)));
        }

        private int size(ModelRules rules, double streams, int has) {
            double load = streams / rules.streamsPerReplica();
            int full = (int) Math.ceil(load);
            int roomy = (int) Math.ceil(load / SHRINK_SHARE);
            return has > full ? Math.min(has, roomy) : full;
        }

        private String reason(ModelDemand asked, boolean warm, boolean preWarmed) {
            if (asked.waiting() > 0) {
                return asked.waiting() == 1 ? "a request waits for it" : asked.waiting() + " requests wait for it";
            } else if (warm) {
                return String.format(
                        Locale.ROOT,
                        "%.1f requests a minute, %.1f streams",
                        asked.requestsPerSecond() * SECONDS_PER_MINUTE,
                        asked.streams());
            }
            return preWarmed ? "pre-warmed" : "min-replicas";
        }

        /** Users of regions that hold none themselves. */
        private void serveTheRest() {
            Map<String, Map<String, ModelDemand>> guests = new HashMap<>();
            Set<String> somewhere = somewhere();
            for (Region region : view.regions()) {
                for (ModelDemand asked : demand.in(region.id()).values()) {
                    boolean lives = asked.waiting() > 0
                            || asked.idleMillis()
                                    < settings.rules(asked.model()).idleUnload().toMillis();
                    if (lives && view.models().containsKey(asked.model()) && !hasOne(region, asked.model())) {
                        hostOf(region, asked.model(), somewhere)
                                .ifPresent(host -> guests.computeIfAbsent(host.id(), _ -> new HashMap<>())
                                        .merge(asked.model(), asked, ModelDemand::plus));
                    }
                }
            }
            for (Region region : view.regions()) {
                guests.getOrDefault(region.id(), Map.of()).forEach((id, asked) -> {
                    Model model = view.models().get(id);
                    if (model != null) {
                        wish(region, model, asked.plus(demand.of(region.id(), id)), true);
                    }
                });
            }
        }

        private boolean hasOne(Region region, String model) {
            ModelPlacement placement = region.placements().get(model);
            return placement == null ? wishes(region).containsKey(model) : placement.replicas() > 0;
        }

        /** Models that any region has, will have or is to have: of all others, which are most, no region needs to be asked. */
        private Set<String> somewhere() {
            Set<String> models = new HashSet<>();
            for (Region region : view.regions()) {
                models.addAll(wishes(region).keySet());
                models.addAll(region.placements().keySet());
                models.addAll(fit(region).heldModels());
            }
            return models;
        }

        /**
         * Who serves users of a region that has none itself: who will have one, who has one, or whoever could; the nearest.
         *
         * @param somewhere models that any region has
         */
        private Optional<Region> hostOf(Region users, String model, Set<String> somewhere) {
            boolean any = somewhere.contains(model);
            Region holder = null;
            Region able = null;
            for (Region region : nearest.computeIfAbsent(users.id(), _ -> nearest(users))) {
                if (any && hasOne(region, model) && fit(region).canHold(model)) {
                    return Optional.of(region);
                }
                if (any
                        && holder == null
                        && fit(region).held(model) > 0
                        && fit(region).canHold(model)) {
                    holder = region;
                }
                if (able == null && fit(region).canHold(model)) {
                    able = region;
                }
                if (!any && able != null) {
                    break;
                }
            }
            return Optional.ofNullable(holder != null ? holder : able);
        }

        private List<Region> nearest(Region users) {
            return view.regions().stream()
                    .sorted(Comparator.comparingLong((Region region) -> distance(users, region))
                            .thenComparing(Region::id))
                    .toList();
        }

        private static long distance(Region from, Region to) {
            return from.id().equals(to.id()) ? -1 : from.rttMicros().getOrDefault(to.id(), Long.MAX_VALUE);
        }
    }
}

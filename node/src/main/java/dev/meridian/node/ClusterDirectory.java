package dev.meridian.node;

import dev.meridian.edge.ModelDirectory;
import dev.meridian.edge.ServedModel;
import dev.meridian.edge.stream.Destination;
import dev.meridian.placement.ClusterView;
import dev.meridian.placement.ClusterView.Candidate;
import dev.meridian.placement.FirstTokenTimes;
import dev.meridian.placement.NodeView;
import dev.meridian.placement.PlacementSettings;
import dev.meridian.placement.ReplicaChoice;
import dev.meridian.protocol.cluster.ModelInfo;
import dev.meridian.protocol.cluster.NodeMessage.NodeStatus;
import dev.meridian.protocol.cluster.Pin;
import dev.meridian.protocol.cluster.PinTable;
import dev.meridian.protocol.cluster.ReplicaId;
import dev.meridian.protocol.cluster.Residency;
import dev.meridian.protocol.message.ReplicaCommand;
import dev.meridian.protocol.message.ReplicaCommand.Submit;
import dev.meridian.protocol.message.ResumeMessage;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * The routing table of an edge, over what its node knows of the cluster.
 *
 * @param node its node's id
 * @param pins the pins of a region as this node knows them
 */
record ClusterDirectory(
        String node,
        Supplier<ClusterView> view,
        ReplicaChoice choice,
        Function<String, PinTable> pins,
        ReplicaEntrance entrance,
        ResidencySettings residency,
        Function<String, Optional<ActorRef<ResumeMessage>>> streamKeepers,
        PlacementSettings placement,
        FirstTokenTimes firstTokens,
        LongSupplier nanoClock)
        implements ModelDirectory {
    @Override
    public String region() {
        return choice.region();
    }

    @Override
    public Optional<ActorRef<ResumeMessage>> streamKeeper(String other) {
        return streamKeepers.apply(other);
    }

    @Override
    public List<ServedModel> models() {
        return view.get().known().stream().map(this::served).toList();
    }

    @Override
    public Optional<ServedModel> find(String id) {
        return view.get().model(id).map(this::served);
    }

    private ServedModel served(ModelInfo model) {
        return new ServedModel(
                model.id(),
                model.contextTokens(),
                model.vocabSize(),
                model.createdEpochSeconds(),
                model.residency().and(residency.of(model.id())));
    }

    @Override
    public Optional<Destination> replica(String model, Residency residency, @Nullable ActorRef<ReplicaCommand> but) {
        return choice.choose(
                        view.get(),
                        model,
                        residency,
                        firstTokens,
                        but,
                        nanoClock.getAsLong(),
                        ThreadLocalRandom.current())
                .flatMap(ClusterDirectory::destination);
    }

    @Override
    public Optional<Destination> destination(ActorRef<ReplicaCommand> host) {
        return view.get().at(host).flatMap(ClusterDirectory::destination);
    }

    private static Optional<Destination> destination(Candidate candidate) {
        return Optional.ofNullable(candidate.replica().host())
                .map(host -> new Destination(
                        host,
                        candidate.node().status().region(),
                        candidate.node().id(),
                        candidate.replica().id().toString()));
    }

    @Override
    public long epoch(ActorRef<ReplicaCommand> host) {
        return view.get()
                .replicaOf(host)
                .flatMap(replica -> pins.apply(replica.region()).pin(replica))
                .map(Pin::generation)
                .orElse(0L);
    }

    @Override
    public boolean loadsOnDemand() {
        List<ModelInfo> known = view.get().known();
        return !known.isEmpty()
                && known.stream()
                        .allMatch(model -> placement.policy().rules(model.id()).minReplicas() == 0);
    }

    @Override
    public List<Duty> duties() {
        ClusterView now = view.get();
        List<Duty> placed = new ArrayList<>();
        for (Pin pin : pins.apply(choice.region()).pins()) {
            if (pin.node().equals(node)) {
                now.model(pin.replica().model())
                        .map(this::served)
                        .map(model -> new Duty(
                                model,
                                pin.replica().toString(),
                                now.hostOf(node, pin.replica()).orElse(null)))
                        .ifPresent(placed::add);
            }
        }
        return placed.isEmpty()
                ? now.models().stream()
                        .map(model -> new Duty(served(model), null, null))
                        .toList()
                : placed;
    }

    @Override
    public Optional<Coming> coming(String model, Residency residency) {
        ClusterView now = view.get();
        Residency allowed = now.residency(model).and(residency);
        return now.nodes().stream()
                .filter(candidate -> allowed.allows(candidate.status().region()) && mayLoad(candidate, model))
                .flatMap(candidate -> candidate.status().bundles().stream()
                        .filter(bundle -> bundle.id().equals(model)
                                && bundle.neededBytes() <= candidate.status().budgetBytes())
                        .map(bundle -> estimateMillis(bundle, candidate.status().loadBytesPerSecond())))
                .min(Comparator.comparingLong(millis -> millis < 0 ? Long.MAX_VALUE : millis))
                .map(Coming::new);
    }

    private boolean mayLoad(NodeView candidate, String model) {
        NodeStatus status = candidate.status();
        PinTable table = pins.apply(status.region());
        return !status.leaving()
                && candidate.silentNanos(nanoClock.getAsLong())
                        <= placement.rehomeAfter().toNanos()
                && !table.draining().contains(candidate.id())
                && table.placement(model).filter(one -> one.replicas() == 0).isEmpty();
    }

    private static long estimateMillis(ModelInfo bundle, long bytesPerSecond) {
        return bytesPerSecond == 0 ? -1 : bundle.neededBytes() * 1000 / bytesPerSecond;
    }

    @Override
    public void submitFirst(ActorRef<ReplicaCommand> host, Submit submit) {
        Optional<ReplicaId> replica = view.get().replicaOf(host);
        if (replica.isEmpty() || !entrance.tell(replica.get(), submit)) {
            host.tell(submit);
        }
    }

    @Override
    public void firstToken(ActorRef<ReplicaCommand> host, long nanos) {
        firstTokens.add(host, nanos);
    }

    @Override
    public void firstUnanswered(ActorRef<ReplicaCommand> host) {
        view.get().replicaOf(host).ifPresent(entrance::avoid);
    }
}

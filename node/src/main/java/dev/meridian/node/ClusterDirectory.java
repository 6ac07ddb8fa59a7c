package dev.meridian.node;

import dev.meridian.edge.ModelDirectory;
import dev.meridian.edge.ServedModel;
import dev.meridian.edge.stream.Destination;
import dev.meridian.placement.ClusterView;
import dev.meridian.placement.ClusterView.Candidate;
import dev.meridian.placement.ReplicaChoice;
import dev.meridian.protocol.cluster.ModelInfo;
import dev.meridian.protocol.cluster.Pin;
import dev.meridian.protocol.cluster.PinTable;
import dev.meridian.protocol.cluster.ReplicaId;
import dev.meridian.protocol.cluster.Residency;
import dev.meridian.protocol.message.ReplicaCommand;
import dev.meridian.protocol.message.ReplicaCommand.Submit;
import dev.meridian.protocol.message.ResumeMessage;
import java.util.ArrayList;
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
        return view.get().models().stream().map(this::served).toList();
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
        return choice.choose(view.get(), model, residency, but, nanoClock.getAsLong(), ThreadLocalRandom.current())
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
        return placed.isEmpty() ? ModelDirectory.super.duties() : placed;
    }

    @Override
    public void submitFirst(ActorRef<ReplicaCommand> host, Submit submit) {
        Optional<ReplicaId> replica = view.get().replicaOf(host);
        if (replica.isEmpty() || !entrance.tell(replica.get(), submit)) {
            host.tell(submit);
        }
    }

    @Override
    public void firstUnanswered(ActorRef<ReplicaCommand> host) {
        view.get().replicaOf(host).ifPresent(entrance::avoid);
    }
}

package dev.meridian.node;

import dev.meridian.edge.ModelDirectory;
import dev.meridian.edge.ServedModel;
import dev.meridian.placement.ClusterView;
import dev.meridian.placement.ReplicaChoice;
import dev.meridian.protocol.cluster.ModelInfo;
import dev.meridian.protocol.cluster.Pin;
import dev.meridian.protocol.cluster.ReplicaId;
import dev.meridian.protocol.message.ReplicaCommand;
import dev.meridian.protocol.message.ReplicaCommand.Submit;
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
 * @param pins the pin of a replica as this node knows it
 */
record ClusterDirectory(
        Supplier<ClusterView> view,
        ReplicaChoice choice,
        Function<ReplicaId, Optional<Pin>> pins,
        ReplicaEntrances entrances,
        LongSupplier nanoClock)
        implements ModelDirectory {
    @Override
    public List<ServedModel> models() {
        return view.get().models().stream().map(ClusterDirectory::served).toList();
    }

    @Override
    public Optional<ServedModel> find(String id) {
        return view.get().model(id).map(ClusterDirectory::served);
    }

    private static ServedModel served(ModelInfo model) {
        return new ServedModel(model.id(), model.contextTokens(), model.vocabSize(), model.createdEpochSeconds());
    }

    @Override
    public Optional<ActorRef<ReplicaCommand>> replica(String model, @Nullable ActorRef<ReplicaCommand> but) {
        return choice.choose(view.get(), model, but, nanoClock.getAsLong(), ThreadLocalRandom.current());
    }

    @Override
    public long epoch(ActorRef<ReplicaCommand> host) {
        return view.get().replicaOf(host).flatMap(pins).map(Pin::generation).orElse(0L);
    }

    @Override
    public void submitFirst(ActorRef<ReplicaCommand> host, Submit submit) {
        Optional<ReplicaId> replica = view.get().replicaOf(host);
        if (replica.isEmpty() || !entrances.tell(replica.get(), submit)) {
            host.tell(submit);
        }
    }

    @Override
    public void firstUnanswered(ActorRef<ReplicaCommand> host) {
        view.get().replicaOf(host).ifPresent(entrances::avoid);
    }
}

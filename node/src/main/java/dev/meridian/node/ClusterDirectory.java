package dev.meridian.node;

import dev.meridian.edge.ModelDirectory;
import dev.meridian.edge.ServedModel;
import dev.meridian.placement.ClusterView;
import dev.meridian.placement.ReplicaChoice;
import dev.meridian.protocol.cluster.ModelInfo;
import dev.meridian.protocol.message.ReplicaCommand;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/** The routing table of an edge, over what its node knows of the cluster. */
record ClusterDirectory(Supplier<ClusterView> view, ReplicaChoice choice, LongSupplier nanoClock)
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
}

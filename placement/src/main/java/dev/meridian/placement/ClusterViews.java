package dev.meridian.placement;

import java.util.concurrent.atomic.AtomicReference;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Extension;
import org.apache.pekko.actor.typed.ExtensionId;

/** What the node of an actor system knows of the cluster now: for parts of it that Pekko makes. Thread-safe. */
public final class ClusterViews implements Extension {
    private static final ExtensionId<ClusterViews> ID = new ExtensionId<>() {
        @Override
        public ClusterViews createExtension(ActorSystem<?> system) {
            return new ClusterViews();
        }
    };

    private final AtomicReference<ClusterView> newest = new AtomicReference<>(ClusterView.empty());

    private ClusterViews() {}

    public static ClusterViews get(ActorSystem<?> system) {
        return system.registerExtension(ID);
    }

    public ClusterView newest() {
        return newest.get();
    }

    public void set(ClusterView view) {
        newest.set(view);
    }
}

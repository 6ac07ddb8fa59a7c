package dev.meridian.engine.violation;

import org.apache.pekko.actor.typed.ActorRef;

/** The engine knows actors. */
public interface EngineUsesPekko {
    ActorRef<String> listener();
}

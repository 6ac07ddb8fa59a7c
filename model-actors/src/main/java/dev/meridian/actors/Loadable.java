package dev.meridian.actors;

import dev.meridian.protocol.cluster.ModelInfo;
import java.util.function.Supplier;

/**
 * A bundle that a node can load.
 *
 * @param reservedBytes native memory set aside before the load begins
 * @param load reads weights, so it blocks; throws where the bundle is unusable
 */
public record Loadable(ModelInfo info, long reservedBytes, Supplier<HostedModel> load) {}

package dev.meridian.edge.admin;

import dev.meridian.protocol.cluster.ModelDemand;

/** What is asked of a model in a region. */
public record DemandRow(String region, ModelDemand demand) {}

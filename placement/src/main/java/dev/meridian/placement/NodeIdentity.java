package dev.meridian.placement;

import java.util.List;

/**
 * Who a node is for as long as it runs.
 *
 * @param id unique in the cluster
 * @param roles {@code edge}, {@code model} or both
 * @param incarnation grows with each start
 * @param budgetBytes native memory for models
 */
public record NodeIdentity(String id, String region, List<String> roles, long incarnation, long budgetBytes) {
    public NodeIdentity {
        roles = List.copyOf(roles);
    }
}

package dev.meridian.edge.admin;

import java.util.List;

/**
 * What a policy would do now.
 *
 * @param policy its name
 * @param rows one for each region and model that has a replica or is to have one
 */
public record PolicyRows(String policy, List<Row> rows) {
    public PolicyRows {
        rows = List.copyOf(rows);
    }

    /**
     * How many replicas of a model a region should have.
     *
     * @param held that it has now
     * @param replicas that it should have
     * @param wished that it would have if there were room
     * @param reason for a person to read
     */
    public record Row(String region, String model, int held, int replicas, int wished, String reason) {}
}

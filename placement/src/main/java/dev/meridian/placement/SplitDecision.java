package dev.meridian.placement;

import java.util.Collection;
import java.util.Collections;
import java.util.Set;

/**
 * What the nodes of one side of a split region do about the other side. A pure function; both sides come to answers that fit
 * each other. Nodes of other regions are witnesses: whom they hear is alive, however little this side hears of it.
 *
 * <p>Pekko's own strategies count nodes of the region alone. In a region of two, they take the survivor out when the wrong one
 * of the two dies.
 */
public enum SplitDecision {
    /** The other side is gone, or has lost: take its nodes out. */
    DOWN_OTHERS,
    /** This side has lost: each of its nodes takes itself out. */
    DOWN_SELF,
    /** Nobody is there who could tell: change nothing until somebody is. */
    WAIT;

    /**
     * What one node sees. Nodes are named by their ids.
     *
     * @param reachable nodes of the region that it reaches, itself among them
     * @param unreachable those that it does not, at least one
     * @param otherRegions whether the cluster has nodes in other regions
     * @param witnesses how many of those it hears
     * @param heardByWitnesses which of the unreachable ones any of these hears
     */
    public record Sight(
            Collection<String> reachable,
            Collection<String> unreachable,
            boolean otherRegions,
            int witnesses,
            Set<String> heardByWitnesses) {
        public Sight {
            if (reachable.isEmpty() || unreachable.isEmpty()) {
                throw new IllegalArgumentException("a split has two sides");
            }
        }
    }

    /**
     * Decides.
     *
     * <ul>
     *   <li>Witnesses hear nobody of the other side: it is dead, or cut off from everybody, and then it waits.
     *   <li>They hear some of it: the larger side stays; of equal ones that with the first id.
     *   <li>There are other regions, and none of them is heard: this side may be the one that is cut off.
     *   <li>There are no other regions: the larger side stays; of equal ones that with the first id. So a region of two
     *       that is alone does not survive the death of its first node; a third one, or another region, helps.
     * </ul>
     */
    public static SplitDecision decide(Sight sight) {
        if (sight.otherRegions() && sight.witnesses() == 0) {
            return WAIT;
        }
        if (sight.otherRegions() && Collections.disjoint(sight.unreachable(), sight.heardByWitnesses())) {
            return DOWN_OTHERS;
        }
        int difference = sight.reachable().size() - sight.unreachable().size();
        boolean stays = difference == 0
                ? Collections.min(sight.reachable()).compareTo(Collections.min(sight.unreachable())) < 0
                : difference > 0;
        return stays ? DOWN_OTHERS : DOWN_SELF;
    }
}

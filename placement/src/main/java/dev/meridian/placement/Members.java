package dev.meridian.placement;

import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.apache.pekko.cluster.ClusterEvent;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.MemberStatus;

/** How Pekko's members are read. Each has its node's id among its roles. */
public final class Members {
    private static final String NODE_ROLE = "node.";

    private Members() {}

    /** The role by which others know a node's id. */
    public static String role(String node) {
        return NODE_ROLE + node;
    }

    /** The id of a member's node. */
    public static Stream<String> id(Member member) {
        return member.getRoles().stream()
                .filter(role -> role.startsWith(NODE_ROLE))
                .map(role -> role.substring(NODE_ROLE.length()));
    }

    /** All that were not taken out. */
    public static Stream<Member> living(ClusterEvent.CurrentClusterState state) {
        return living(state.getMembers());
    }

    static Stream<Member> living(Iterable<Member> members) {
        return StreamSupport.stream(members.spliterator(), false)
                .filter(member -> !member.status().equals(MemberStatus.removed())
                        && !member.status().equals(MemberStatus.down()));
    }
}

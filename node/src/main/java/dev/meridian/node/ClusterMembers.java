package dev.meridian.node;

import dev.meridian.placement.Members;
import dev.meridian.placement.NodeDirectory;
import dev.meridian.placement.PinKeeper;
import dev.meridian.protocol.cluster.NodeMessage;
import dev.meridian.protocol.cluster.PinMessage;
import dev.meridian.protocol.message.ResumeMessage;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorRefResolver;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.typed.Cluster;

/** The cluster's members as Pekko knows them now, and where their parts are. Safe from any thread. */
final class ClusterMembers {
    /** Where an edge's part runs, below {@code /system}. */
    static final String STREAM_KEEPER = "stream-keeper";

    private final Cluster cluster;
    private final ActorRefResolver resolver;
    private final String region;

    ClusterMembers(ActorSystem<?> system, String region) {
        cluster = Cluster.get(system);
        resolver = ActorRefResolver.get(system);
        this.region = region;
    }

    private Stream<Member> members() {
        return Members.living(cluster.state());
    }

    private Stream<Member> others() {
        return members()
                .filter(member ->
                        !member.uniqueAddress().equals(cluster.selfMember().uniqueAddress()));
    }

    /** Ids of all members of that status. */
    Set<String> nodes(MemberStatus status) {
        return members()
                .filter(member -> member.status().equals(status))
                .flatMap(Members::id)
                .collect(Collectors.toSet());
    }

    /** Ids of this region's members that are up. */
    Collection<String> regionNodes() {
        return members()
                .filter(member ->
                        member.dataCenter().equals(region) && member.status().equals(MemberStatus.up()))
                .flatMap(Members::id)
                .toList();
    }

    /** The id of the node on which an actor is; empty where it is no member. */
    Optional<String> nodeOf(org.apache.pekko.actor.ActorRef actor) {
        Address address = actor.path().address().hasLocalScope()
                ? cluster.selfMember().address()
                : actor.path().address();
        return members()
                .filter(member -> member.address().equals(address))
                .flatMap(Members::id)
                .findFirst();
    }

    Collection<ActorRef<NodeMessage>> directories() {
        return others().map(member -> this.<NodeMessage>part(member, NodeDirectory.NAME))
                .toList();
    }

    /** Of the other nodes of this region. */
    List<ActorRef<PinMessage>> keepers() {
        return others().filter(member -> member.dataCenter().equals(region))
                .map(member -> this.<PinMessage>part(member, PinKeeper.NAME))
                .toList();
    }

    /** What keeps the streams of another node of this region, whether it has an edge or not. */
    Optional<ActorRef<ResumeMessage>> streamKeeper(String node) {
        return others().filter(member ->
                        member.dataCenter().equals(region) && Members.id(member).anyMatch(node::equals))
                .findFirst()
                .map(member -> part(member, STREAM_KEEPER));
    }

    private <T> ActorRef<T> part(Member member, String name) {
        return resolver.resolveActorRef(member.address() + "/system/" + name);
    }
}

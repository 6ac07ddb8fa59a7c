package dev.meridian.processes;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The network between the nodes of a test. Each is reached at an address at which the relay listens, which passes on to where
 * the node does. Who connects is known by the address that it connects from.
 *
 * <p>A {@link Link} is one direction between two nodes. It carries the bytes that one sends to the other, over whichever
 * connections. Artery opens one for each kind of message and direction, and only the opener writes; with TLS both do while
 * they shake hands. A cut link delivers nothing and closes nothing: bytes, ends of streams and new connections of the sender
 * wait. Where one link of a pair is cut, the other goes on, new connections included. Packets that are lost in one direction
 * would stall TCP in both, for want of acknowledgements, so that is not what a cut one way is: it is what a forwarder may do,
 * and the harder case, because one side is heard and hears nothing.
 *
 * <p>Whoever connects during a cut is connected, because the system sees to that, and gets no further until the heal. Then
 * what waited arrives, as TCP sends again what was lost; but at once, and not when TCP would try next, which after an outage
 * may take as long as that again. After a long outage the seed draws for each connection that stalled whether it goes on
 * or is reset, as by something in between that has forgotten it.
 */
final class Relay implements AutoCloseable {
    private static final Duration LONG_OUTAGE = Duration.ofSeconds(10);
    private static final int CONNECT_MILLIS = 5_000;
    private static final int BACKLOG = 256;

    /**
     * A node's addresses.
     *
     * @param canonical where others reach it, and the relay listens
     * @param bind where it listens
     * @param outbound where its connections come from
     */
    record Place(String canonical, String bind, String outbound) {}

    private record Pair(String from, String to) implements Comparable<Pair> {
        @Override
        public int compareTo(Pair other) {
            return Comparator.comparing(Pair::from).thenComparing(Pair::to).compare(this, other);
        }
    }

    private final Map<String, Place> places;
    private final int port;
    private final long seed;
    private final Random random;
    private final Map<Pair, Link> links = new ConcurrentHashMap<>();
    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
    private final List<ServerSocket> servers = new ArrayList<>();
    private final List<Thread> listeners = new ArrayList<>();
    private volatile boolean closed;

    private Relay(Map<String, Place> places, int port, Duration betweenRegions, long seed, boolean records) {
        this.places = new TreeMap<>(places);
        this.port = port;
        this.seed = seed;
        random = new Random(seed);
        for (String from : places.keySet()) {
            for (String to : places.keySet()) {
                if (!from.equals(to)) {
                    boolean near = region(from).equals(region(to));
                    links.put(new Pair(from, to), new Link(near ? 0 : betweenRegions.toNanos(), records && !near));
                }
            }
        }
    }

    /**
     * Listens for all nodes.
     *
     * @param places by node, {@code region-number}
     * @param port of all addresses
     * @param betweenRegions how long bytes are on their way from one region to another
     * @param seed draws which connections a long outage breaks
     * @param records whether it keeps all that goes from one region to another
     */
    static Relay open(Map<String, Place> places, int port, Duration betweenRegions, long seed, boolean records)
            throws IOException {
        Relay relay = new Relay(places, port, betweenRegions, seed, records);
        try {
            for (Map.Entry<String, Place> place : places.entrySet()) {
                InetAddress canonical = InetAddress.getByName(place.getValue().canonical());
                ServerSocket server = new ServerSocket(port, BACKLOG, canonical);
                relay.servers.add(server);
                relay.listeners.add(Thread.ofVirtual().start(() -> relay.listen(place.getKey(), server)));
            }
            return relay;
        } catch (IOException e) {
            relay.close();
            throw e;
        }
    }

    private static String region(String node) {
        return node.substring(0, node.lastIndexOf('-'));
    }

    /** Cuts all links from one side to the other; a side is a node or a region. */
    void cutOneWay(String from, String to) {
        between(from, to).forEach(Link::cut);
    }

    /** Cuts both ways. */
    void cut(String one, String other) {
        cutOneWay(one, other);
        cutOneWay(other, one);
    }

    void heal() {
        links.values().forEach(link -> link.heal(LONG_OUTAGE.toNanos()));
    }

    /** What was delivered so far from one side to the other. */
    long bytes(String from, String to) {
        return between(from, to).stream().mapToLong(Link::bytes).sum();
    }

    /** What went from one side to the other so far, by connection. */
    List<byte[]> recorded(String from, String to) {
        return between(from, to).stream()
                .flatMap(link -> link.recorded().stream())
                .toList();
    }

    /** Its seed, and each link's state and bytes: for the message of a failure. */
    @Override
    public String toString() {
        StringBuilder state = new StringBuilder("seed " + seed);
        new TreeMap<>(links)
                .forEach((pair, link) -> state.append("\n")
                        .append(pair.from())
                        .append(" to ")
                        .append(pair.to())
                        .append(": ")
                        .append(link));
        return state.toString();
    }

    private List<Link> between(String from, String to) {
        List<Link> found = links.entrySet().stream()
                .filter(link ->
                        isOf(link.getKey().from(), from) && isOf(link.getKey().to(), to))
                .map(Map.Entry::getValue)
                .toList();
        if (found.isEmpty()) {
            throw new IllegalArgumentException("nothing is between " + from + " and " + to);
        }
        return found;
    }

    private static boolean isOf(String node, String side) {
        return node.equals(side) || region(node).equals(side);
    }

    private Link link(String from, String to) {
        Link link = links.get(new Pair(from, to));
        if (link == null) {
            throw new IllegalStateException("no link from " + from + " to " + to);
        }
        return link;
    }

    private void listen(String to, ServerSocket server) {
        while (!closed) {
            try {
                Socket accepted = server.accept();
                sockets.add(accepted);
                Thread.ofVirtual().start(() -> connect(accepted, to));
            } catch (IOException e) {
                if (!closed) {
                    throw new UncheckedIOException(e);
                }
            }
        }
    }

    private String source(Socket accepted) {
        String address = ((InetSocketAddress) accepted.getRemoteSocketAddress())
                .getAddress()
                .getHostAddress();
        return places.entrySet().stream()
                .filter(place -> place.getValue().outbound().equals(address))
                .map(Map.Entry::getKey)
                .findFirst()
                .orElse("");
    }

    /** Connects on, after the time of a handshake, and once the way there is open. */
    private void connect(Socket accepted, String to) {
        String from = source(accepted);
        Place target = places.get(to);
        Socket onward = new Socket();
        sockets.add(onward);
        try {
            if (target == null || !places.containsKey(from)) {
                throw new IllegalStateException("no node connects from " + accepted.getRemoteSocketAddress());
            }
            Link there = link(from, to);
            Link back = link(to, from);
            long since = System.nanoTime();
            there.awaitArrival(since);
            there.awaitOpen();
            onward.connect(new InetSocketAddress(target.bind(), port), CONNECT_MILLIS);
            onward.setTcpNoDelay(true);
            accepted.setTcpNoDelay(true);
            back.awaitArrival(System.nanoTime());
            carry(new Pipe(accepted, onward, there, this::breaks), new Pipe(onward, accepted, back, this::breaks));
        } catch (IOException | InterruptedException _) {
            // As where nobody listens: it is reset below.
        } finally {
            reset(accepted);
            reset(onward);
        }
    }

    private boolean breaks() {
        synchronized (random) {
            return random.nextBoolean();
        }
    }

    /** Returns when both directions have ended; where one is broken, so is the other. */
    private static void carry(Pipe there, Pipe back) throws InterruptedException {
        List<Thread> threads = new ArrayList<>();
        for (Pipe pipe : List.of(there, back)) {
            threads.add(Thread.ofVirtual().start(pipe::takeIn));
            threads.add(Thread.ofVirtual().start(pipe::giveOut));
        }
        for (Thread thread : threads) {
            thread.join();
        }
    }

    private void reset(Socket socket) {
        sockets.remove(socket);
        Pipe.reset(socket);
    }

    @Override
    public void close() {
        closed = true;
        for (ServerSocket server : servers) {
            try {
                server.close();
            } catch (IOException _) {
                // Then it listens no more.
            }
        }
        heal();
        awaitListeners();
        Set.copyOf(sockets).forEach(this::reset);
    }

    /** An address is free once nobody waits for a connection to it any more. */
    private void awaitListeners() {
        try {
            for (Thread listener : listeners) {
                listener.join(Duration.ofSeconds(5));
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}

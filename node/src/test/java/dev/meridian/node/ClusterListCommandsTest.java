package dev.meridian.node;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** Commands that ask an admin API, of which only the answers are there. */
final class ClusterListCommandsTest {
    private final Map<String, String> answers = new ConcurrentHashMap<>();
    private final HttpServer server = serve();

    private HttpServer serve() {
        try {
            HttpServer created = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
            created.createContext("/", this::answer);
            created.start();
            return created;
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** After so many streams there is nothing at that path any more. */
    private int lastAnswers = Integer.MAX_VALUE;

    private final List<String> continuedAfter = new CopyOnWriteArrayList<>();

    private void answer(HttpExchange exchange) throws IOException {
        String accept = exchange.getRequestHeaders().getFirst("Accept");
        if ("text/event-stream".equals(accept)) {
            continuedAfter.add(String.valueOf(exchange.getRequestHeaders()
                    .getOrDefault("Last-Event-ID", List.of(""))
                    .getFirst()));
        }
        String answer = continuedAfter.size() > lastAnswers
                ? null
                : answers.get(exchange.getRequestURI().getPath());
        byte[] body = (answer == null
                        ? "{'error':{'message':'Nothing is known of it.','code':'nothing_known'}}"
                        : answer)
                .replace('\'', '"')
                .getBytes(UTF_8);
        exchange.sendResponseHeaders(answer == null ? 404 : 200, body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    private String say(String... args) {
        StringWriter out = new StringWriter();
        List<String> all = new ArrayList<>(List.of(args));
        all.add("--admin=http://127.0.0.1:" + server.getAddress().getPort());
        CommandLine commandLine =
                Main.commandLine(args).setOut(new PrintWriter(out)).setErr(new PrintWriter(out));
        commandLine.execute(all.toArray(String[]::new));
        return out.toString();
    }

    private static String lines(String... lines) {
        return Stream.of(lines).map(line -> line + System.lineSeparator()).reduce("", String::concat);
    }

    @Test
    void demandIsATable() {
        answers.put(
                "/admin/v1/demand",
                "{'items':[{'region':'eu','model':'m','requestsPerMinute':3.0,'tokensPerSecond':12.3,'streams':1.5,"
                        + "'waiting':2,'waitingMillis':700,'idleMillis':0},{'region':'us','model':'m','requestsPerMinute':0.0,"
                        + "'tokensPerSecond':0.0,'streams':0.0,'waiting':0,'waitingMillis':0,'idleMillis':null}]}");

        assertThat(say("demand"))
                .isEqualTo(lines(
                        "Region  Model  Requests/min  Tokens/s  Streams  Waiting  Waits for  Idle for",
                        "eu      m               3.0      12.3      1.5        2      0.7 s     0.0 s",
                        "us      m               0.0       0.0      0.0        0"));
    }

    @Test
    void thePlanSaysWhichPolicyItIsOf() {
        answers.put(
                "/admin/v1/plan",
                "{'policy':'follow-demand','items':[{'region':'eu','model':'m','held':1,'replicas':2,'wished':3,"
                        + "'change':true,'reason':'2 requests wait for it'},{'region':'us','model':'m','held':1,"
                        + "'replicas':1,'wished':1,'change':false,'reason':'min-replicas'}]}");

        assertThat(say("plan"))
                .isEqualTo(lines(
                        "Region  Model  Held  Wanted  With room  Change  Why",
                        "eu      m         1       2          3  yes     2 requests wait for it",
                        "us      m         1       1          1          min-replicas",
                        "The policy is follow-demand."));
        assertThat(say("plan", "--json")).contains("\"policy\" : \"follow-demand\"");
    }

    private static final String MOVED = "{'id':'eu:7:0','region':'eu','at':'2026-11-30T22:00:00Z','kind':'moved',"
            + "'by':'alice','model':'m','replica':'eu~m~0123456789ab~1','from':'eu-1','node':'eu-2','reason':'chg-1: move'}";
    private static final String CHANGE = "{'id':'eu:8:0','region':'eu','at':'2026-11-30T22:00:01Z','kind':'change',"
            + "'by':'bob','model':'m','replica':null,'from':null,'node':null,'reason':'chg-2: place begins'}";

    @Test
    void eventsAreATable() {
        answers.put("/admin/v1/events", "{'items':[" + MOVED + "," + CHANGE + "]}");

        assertThat(say("events"))
                .isEqualTo(
                        lines(
                                "Time                  Region  Kind    What                 Where         By     Why",
                                "2026-11-30T22:00:00Z  eu      moved   eu~m~0123456789ab~1  eu-1 -> eu-2  alice  chg-1: move",
                                "2026-11-30T22:00:01Z  eu      change  m                                  bob    chg-2: place begins"));
    }

    @Test
    void followedEventsAreLinesUntilTheNodeAnswersNoMore() {
        answers.put("/admin/v1/events", ":\n\nid: eu:7:0\ndata: " + MOVED + "\n\nid: eu:8:0\ndata: " + CHANGE + "\n\n");
        lastAnswers = 1;

        assertThat(say("events", "--follow"))
                .startsWith(lines(
                        "2026-11-30T22:00:00Z  eu  moved  eu~m~0123456789ab~1  eu-1 -> eu-2  alice  chg-1: move",
                        "2026-11-30T22:00:01Z  eu  change  m  bob  chg-2: place begins"))
                .contains("Nothing is known of it. (nothing_known)");
        assertThat(continuedAfter).containsExactly("", "eu:8:0");
    }

    @Test
    void whySaysWhereAReplicaIsAndHowItCameThere() {
        answers.put(
                "/admin/v1/why/m",
                "{'id':'m','replicas':[{'id':'eu~m~0123456789ab~1','region':'eu','node':'eu-2','movesTo':null,"
                        + "'generation':7}],'events':[" + MOVED + "]}");

        assertThat(say("why", "m"))
                .isEqualTo(lines(
                        "eu~m~0123456789ab~1 is on eu-2.",
                        "Time                  Region  Kind   What                 Where         By     Why",
                        "2026-11-30T22:00:00Z  eu      moved  eu~m~0123456789ab~1  eu-1 -> eu-2  alice  chg-1: move"));
        assertThat(say("why", "x")).contains("Nothing is known of it. (nothing_known)");
    }

    @Test
    void whySaysWhereARequestWent() {
        answers.put(
                "/admin/v1/why/chatcmpl-1",
                "{'id':'chatcmpl-1','model':'m','residency':'eu, us','attempts':[{'at':'2026-11-30T22:00:00Z','attempt':1,"
                        + "'servedBy':'eu/eu-1/r','why':'own region'}]}");

        assertThat(say("why", "chatcmpl-1"))
                .isEqualTo(lines(
                        "chatcmpl-1 asked for m; its residency is eu, us.",
                        "Time                  Attempt  Served by  Why",
                        "2026-11-30T22:00:00Z        1  eu/eu-1/r  own region"));
    }

    @Test
    void aPlanSaysWhenItsTimeIsNotKnown() {
        String change = "{'id':'chg-1','plan':['load it'],'estimateMillis':TIME,'state':'planned','progress':''}";
        answers.put("/admin/v1/nodes/eu-1:drain", change.replace("TIME", "null"));
        String unknown = "How long it takes is not known: a node that loads has loaded nothing yet.";

        assertThat(say("drain", "eu-1", "--dry-run")).isEqualTo(lines("  1. load it", unknown, "Nothing was changed."));
        answers.put("/admin/v1/nodes/eu-1:drain", change.replace("TIME", "1200"));
        assertThat(say("drain", "eu-1", "--dry-run")).doesNotContain(unknown);
    }
}

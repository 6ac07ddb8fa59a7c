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

    private void answer(HttpExchange exchange) throws IOException {
        String answer = answers.get(exchange.getRequestURI().getPath());
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
}

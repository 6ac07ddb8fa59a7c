package dev.meridian.edge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.protocol.message.ReplicaCommand;
import dev.meridian.protocol.message.ReplicaCommand.Submit;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Requests that are wrong in their bytes, not only in their values: each is refused by name, the next request is
 * served, and a stream that ran meanwhile says all of its words.
 */
final class BadInputTest {
    private static final String HELLO = "{\"model\":\"atlas\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}";
    private static final String JSON = "Content-Type: application/json\r\n";
    private static final String CHUNKED = "Transfer-Encoding: chunked\r\n";
    private static final String CLOSE = "Connection: close\r\n";
    private static final int LIMIT = 1 << 20;
    private static final Pattern CONTENT = Pattern.compile("\"content\":\"([^\"]*)\"");

    private static EdgeFixture edge;
    private static ActorRef<ReplicaCommand> controlReplica;
    private static final ScriptedReplica CONTROL =
            new ScriptedReplica((submit, self) -> ScriptedReplica.accept(submit, self, 3));

    private RawClient control;
    private Submit controlSubmit;

    @BeforeAll
    static void start() {
        edge = new EdgeFixture("meridian.edge { idle-timeout = 2s, body-read-timeout = 2s, max-messages = 8,"
                // The scripted replica sends no heartbeats, and the control stream outlives some slow cases.
                + " heartbeat-silence = 5m }");
        edge.serve("atlas", new ScriptedReplica(ScriptedReplica.saying("ok")));
        controlReplica = edge.serve("control", CONTROL);
    }

    @AfterAll
    static void stop() {
        edge.close();
    }

    @BeforeEach
    void startControlStream() throws IOException {
        control = connect();
        control.post(EdgeFixture.CHAT, HELLO.replace("{\"model\":\"atlas\"", "{\"stream\":true,\"model\":\"control\""));
        controlSubmit = CONTROL.expect(Submit.class);
        say(0, "one ", false);
        control.readUntil("\"content\":\"one \"");
    }

    @AfterEach
    void theNextRequestIsServedAndTheControlStreamSaysAll() throws IOException {
        assertThat(edge.post(EdgeFixture.CHAT, HELLO).body()).contains("\"content\":\"ok\"");
        say(1, "two ", false);
        say(2, "three", true);
        String all = control.readUntil("data: [DONE]\n\n");
        String text =
                CONTENT.matcher(all).results().map(found -> found.group(1)).collect(Collectors.joining());
        assertThat(text).isEqualTo("one two three");
        control.close();
    }

    private void say(int index, String word, boolean last) {
        ScriptedReplica.batch(
                controlSubmit, controlReplica, index, ScriptedReplica.entry(controlSubmit, 0, index, word, last));
    }

    private static RawClient connect() throws IOException {
        return new RawClient(edge.edge.clientAddress().orElseThrow());
    }

    private static String post(String headers, String body) {
        return "POST " + EdgeFixture.CHAT + " HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n" + body;
    }

    private static String sized(String headers, String body) {
        return post(JSON + headers + "Content-Length: " + body.getBytes(StandardCharsets.UTF_8).length + "\r\n", body);
    }

    private static String get(String target, String... headers) {
        return "GET " + target + " HTTP/1.1\r\nHost: localhost\r\n" + CLOSE + String.join("", headers) + "\r\n";
    }

    private static String chunks(String body, int size) {
        StringBuilder out = new StringBuilder();
        for (int at = 0; at < body.length(); at += size) {
            String chunk = body.substring(at, Math.min(body.length(), at + size));
            out.append(Integer.toHexString(chunk.length()))
                    .append("\r\n")
                    .append(chunk)
                    .append("\r\n");
        }
        return out.append("0\r\n\r\n").toString();
    }

    private static Arguments of(String name, String bytes, int status, String code) {
        return Arguments.of(name, bytes, status, code, code.equals("model_not_found") ? "model" : null);
    }

    private static Arguments of(String name, String body, int status, String code, String param) {
        return Arguments.of(name, body, status, code, param);
    }

    static Stream<Arguments> framings() {
        String chunkedJson = JSON + CHUNKED;
        return Stream.of(
                of("length too large", post(JSON + "Content-Length: 99999999999\r\n", "x"), 413, "body_too_large"),
                of(
                        "length of 20 digits",
                        post(JSON + "Content-Length: 99999999999999999999\r\n", "x"),
                        400,
                        "malformed_request"),
                of("negative length", post(JSON + "Content-Length: -1\r\n", "x"), 400, "malformed_request"),
                of("signed length", post(JSON + "Content-Length: +1\r\n", "x"), 400, "malformed_request"),
                of("list of lengths", post(JSON + "Content-Length: 1, 1\r\n", "x"), 400, "malformed_request"),
                of("two lengths", sized("Content-Length: 5\r\n", HELLO), 400, "malformed_request"),
                of("chunked and a length", sized(CHUNKED, chunks(HELLO, 50)), 400, "malformed_request"),
                of(
                        "identity, chunked",
                        post(JSON + "Transfer-Encoding: identity, chunked\r\n", chunks(HELLO, 50)),
                        400,
                        "malformed_request"),
                of(
                        "chunked, identity",
                        post(JSON + "Transfer-Encoding: chunked, identity\r\n", chunks(HELLO, 50)),
                        400,
                        "malformed_request"),
                of("identity", sized("Transfer-Encoding: identity\r\n", HELLO), 400, "malformed_request"),
                of(
                        "gzip, chunked",
                        post(JSON + "Transfer-Encoding: gzip, chunked\r\n", chunks(HELLO, 50)),
                        400,
                        "malformed_request"),
                of(
                        "xchunked",
                        post(JSON + "Transfer-Encoding: xchunked\r\n", chunks(HELLO, 50)),
                        400,
                        "malformed_request"),
                of("chunked twice", post(JSON + CHUNKED + CHUNKED, chunks(HELLO, 50)), 400, "malformed_request"),
                of(
                        "blank before colon",
                        post(JSON + "Transfer-Encoding : chunked\r\n", chunks(HELLO, 50)),
                        400,
                        "malformed_request"),
                of("negative chunk", post(chunkedJson, "-1\r\nx\r\n0\r\n\r\n"), 400, "body_incomplete"),
                of("chunk over an int", post(chunkedJson, "ffffffffffffffff\r\nx\r\n"), 400, "body_incomplete"),
                of("chunk of 2 GiB", post(chunkedJson, "7fffffff\r\nx\r\n"), 400, "body_incomplete"),
                of("chunk size not hexadecimal", post(chunkedJson, "zz\r\nx\r\n0\r\n\r\n"), 400, "body_incomplete"),
                of("chunk size with 0x", post(chunkedJson, "0x5\r\nhello\r\n0\r\n\r\n"), 400, "body_incomplete"),
                of("chunk longer than it says", post(chunkedJson, "3\r\nabcde\r\n0\r\n\r\n"), 400, "body_incomplete"),
                of(
                        "chunk extension of 5000",
                        post(chunkedJson, "1;" + "e".repeat(5000) + "\r\nx\r\n0\r\n\r\n"),
                        400,
                        "body_incomplete"),
                of(
                        "trailer without colon",
                        post(chunkedJson, "2\r\n{}\r\n0\r\nno colon\r\n\r\n"),
                        400,
                        "body_incomplete"),
                of(
                        "chunks over the limit",
                        post(chunkedJson, chunks("x".repeat(LIMIT + 1), 1 << 16)),
                        413,
                        "body_too_large"),
                of("gzip", sized(CLOSE + "Content-Encoding: gzip\r\n", HELLO), 415, "unsupported_media_type"),
                of(
                        "gzip under identity",
                        sized(CLOSE + "Content-Encoding: identity, gzip\r\n", HELLO),
                        415,
                        "unsupported_media_type"),
                of(
                        "two content types",
                        sized(CLOSE + "Content-Type: text/plain\r\n", HELLO),
                        400,
                        "malformed_request"));
    }

    static Stream<Arguments> heads() {
        String many = String.join(
                "",
                IntStream.range(0, 10_000).mapToObj(i -> "X-" + i + ": a\r\n").toList());
        return Stream.of(
                of(
                        "header of 1 MB",
                        get("/v1/models", "X-A: " + "a".repeat(1_000_000) + "\r\n"),
                        431,
                        "malformed_request"),
                of("header name of 1000", get("/v1/models", "a".repeat(1000) + ": b\r\n"), 431, "malformed_request"),
                of("10,000 headers", get("/v1/models", many), 400, "malformed_request"),
                of("no colon", get("/v1/models", "foo\r\n"), 400, "malformed_request"),
                of("NUL in a header", get("/v1/models", "X-A: a\u0000b\r\n"), 400, "malformed_request"),
                of("bare CR", get("/v1/models", "X-A: a\rb\r\n"), 400, "malformed_request"),
                of("no host", "GET /v1/models HTTP/1.1\r\n\r\n", 400, "malformed_request"),
                of("two hosts", get("/v1/models", "Host: b\r\n"), 400, "malformed_request"),
                of("HTTP/0.9", "GET /v1/models\r\n", 505, "malformed_request"),
                of("HTTP/1.0 without host", "GET /v1/models HTTP/1.0\r\n\r\n", 400, "malformed_request"),
                of("HTTP/2.0", "GET /v1/models HTTP/2.0\r\nHost: localhost\r\n\r\n", 505, "malformed_request"),
                of("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 501, "malformed_request"),
                of("method unknown", "FOO /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n", 501, "malformed_request"),
                of(
                        "method in small letters",
                        "get /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n",
                        501,
                        "malformed_request"),
                of(
                        "method of 100",
                        "F".repeat(100) + " / HTTP/1.1\r\nHost: localhost\r\n\r\n",
                        400,
                        "malformed_request"),
                of("TLS", "\u0016\u0003\u0001\u0002\0\u0001" + "\0".repeat(500), 400, "malformed_request"),
                of("other host in target", get("http://evil.example/v1/models"), 400, "malformed_request"),
                of("other scheme", get("ftp://localhost/v1/models"), 400, "malformed_request"),
                of("path of 64 KB", get("/v1/models/" + "a".repeat(65_536)), 414, "malformed_request"),
                of("percent and no digits", get("/v1/models/%zz"), 400, "malformed_request"),
                of("percent at the end", get("/v1/models/%"), 400, "malformed_request"),
                of("backslashes", get("/v1/models/..\\..\\x"), 400, "malformed_request"),
                of("fragment", get("/v1/models#a"), 400, "malformed_request"),
                of("two slashes", get("//v1/models"), 404, "unknown_url"),
                of("two slashes inside", get("/v1//models"), 404, "unknown_url"),
                of("dots", get("/v1/models/../../etc/passwd"), 404, "unknown_url"),
                // Only OPTIONS has this form (RFC 9112, 3.2.4); Pekko HTTP makes no host of it.
                of("star", get("*"), 421, "host_forbidden"),
                of("semicolon", get("/v1/models;a=b"), 404, "unknown_url"),
                of("encoded dots", get("/v1/models/%2e%2e%2f%2e%2e%2fetc%2fpasswd"), 404, "model_not_found"),
                of("encoded slash", get("/v1/models/..%2fatlas"), 404, "model_not_found"),
                of("encoded NUL", get("/v1/models/%00"), 404, "model_not_found"),
                of("overlong UTF-8", get("/v1/models/%c0%af"), 404, "model_not_found"),
                of("encoded surrogate", get("/v1/models/%ed%a0%80"), 404, "model_not_found"),
                of("name of 1900", get("/v1/models/" + "a".repeat(1900)), 404, "model_not_found"));
    }

    static Stream<Arguments> bodies() {
        String biases = String.join(
                ",",
                IntStream.range(0, 100_000).mapToObj(i -> "\"" + i + "\":1").toList());
        String manyStops = "\"x\",".repeat(9_999) + "\"x\"";
        String message = "{\"role\":\"user\",\"content\":\"x\"}";
        return Stream.of(
                of("truncated", HELLO.substring(0, HELLO.length() - 4), 400, "invalid_json"),
                of(
                        "100,000 levels",
                        "{\"messages\":" + "[".repeat(100_000) + "]".repeat(100_000) + "}",
                        400,
                        "invalid_json"),
                of("100,000 levels unclosed", "{\"a\":".repeat(100_000), 400, "invalid_json"),
                of("NUL", HELLO.replace("hi", "h\0i"), 400, "invalid_json"),
                of("field twice", HELLO.replace("{\"m", "{\"n\":1,\"n\":1,\"m"), 400, "invalid_json"),
                of("UTF-16 mark", "\ufeff" + HELLO, 400, "invalid_json"),
                of("Infinity", HELLO.replace("{\"m", "{\"temperature\":Infinity,\"m"), 400, "invalid_json"),
                of("1e309", HELLO.replace("{\"m", "{\"temperature\":1e309,\"m"), 400, "out_of_range", "temperature"),
                of("n 1e309", HELLO.replace("{\"m", "{\"n\":1e309,\"m"), 400, "invalid_type", "n"),
                of(
                        "max_tokens 2^63",
                        HELLO.replace("{\"m", "{\"max_tokens\":9223372036854775808,\"m"),
                        400,
                        "out_of_range",
                        "max_tokens"),
                of(
                        "seed 2^64",
                        HELLO.replace("{\"m", "{\"seed\":18446744073709551616,\"m"),
                        400,
                        "out_of_range",
                        "seed"),
                of(
                        "10,000 stops",
                        HELLO.replace("{\"m", "{\"stop\":[" + manyStops + "],\"m"),
                        400,
                        "invalid_value",
                        "stop"),
                of(
                        "100,000 biases",
                        HELLO.replace("{\"m", "{\"logit_bias\":{" + biases + "},\"m"),
                        400,
                        "invalid_value",
                        "logit_bias"),
                of(
                        "1,000,000 messages",
                        "{\"model\":\"atlas\",\"messages\":[" + (message + ",").repeat(999_999) + message + "]}",
                        413,
                        "body_too_large"),
                of("model path", HELLO.replace("atlas", "../../etc/passwd"), 404, "model_not_found"),
                of("model of 64 KB", HELLO.replace("atlas", "a".repeat(65_536)), 404, "model_not_found"),
                of("model with escaped NUL", HELLO.replace("atlas", "a\\u0000"), 400, "invalid_value", "model"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource({"framings", "heads"})
    void isRefusedByNameAndTheConnectionCloses(
            String name, String bytes, int status, String code, @Nullable String param) throws IOException {
        try (RawClient client = connect()) {
            client.sendUntilCutOff(bytes);
            assertRefused(client.readUntilCutOff(), status, code, param);
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("bodies")
    void aBodyIsRefusedByName(String name, String body, int status, String code, @Nullable String param)
            throws IOException {
        try (RawClient client = connect()) {
            client.sendUntilCutOff(sized(CLOSE, body));
            assertRefused(client.readUntilCutOff(), status, code, param);
        }
    }

    /** One response and nothing behind it: what follows a broken head is never taken for a request. */
    private static void assertRefused(String response, int status, String code, @Nullable String param) {
        String named = param == null ? "null" : "\"" + param + "\"";
        assertThat(response)
                .startsWith("HTTP/1.1 " + status + " ")
                .contains("\"param\":" + named + ",\"code\":\"" + code + "\"}}");
        assertThat(response.split("HTTP/1\\.1 ", -1)).as(response).hasSize(2);
        assertThat(response.length()).as("an answer does not echo its request").isLessThan(1500);
    }

    @Test
    void aSmuggledRequestIsNotServed() throws IOException {
        try (RawClient client = connect()) {
            client.send(sized(CHUNKED, "0\r\n\r\n" + get("/v1/models")));
            assertThat(client.readToEnd()).startsWith("HTTP/1.1 400 ").doesNotContain("\"object\":\"list\"");
        }
    }

    @Test
    void chunksOfSixBytesTrailersAndFoldedHeadersAreTaken() throws IOException {
        for (String request : List.of(
                post(JSON + CHUNKED + CLOSE, chunks(HELLO, 6)),
                post(JSON + CHUNKED + CLOSE, chunks(HELLO, 50).replace("\r\n0\r\n", "\r\n0\r\nX-Sum: 1\r\n")),
                sized(CLOSE + "X-Folded: a\r\n b\r\n", HELLO),
                sized(CLOSE + "Content-Encoding: identity\r\n", HELLO))) {
            try (RawClient client = connect()) {
                client.send(request);
                assertThat(client.readToEnd()).startsWith("HTTP/1.1 200 ").contains("\"content\":\"ok\"");
            }
        }
    }

    @Test
    void anUpgradeToHttp2IsNotTaken() throws IOException {
        try (RawClient client = connect()) {
            String settings = "HTTP2-Settings: AAMAAABkAAQAAP__\r\n";
            client.send(get("/v1/models", "Connection: Upgrade, HTTP2-Settings\r\n", "Upgrade: h2c\r\n", settings));
            assertThat(client.readToEnd()).startsWith("HTTP/1.1 200 ").contains("\"object\":\"list\"");
        }
    }

    @Test
    void aClientThatHalfClosesStillReadsItsReply() throws IOException {
        try (RawClient client = connect()) {
            client.send(sized(CLOSE, HELLO));
            client.endOutput();
            assertThat(client.readToEnd()).startsWith("HTTP/1.1 200 ").contains("\"content\":\"ok\"");
        }
    }

    /** The whole head has to come within the idle timeout; single bytes do not prolong it. */
    @Test
    void aHeadThatDribblesIsCutOff() throws IOException {
        try (RawClient client = connect()) {
            client.send("GET /v1/models HTTP/1.1\r\nHost: localhost\r\nX-Slow: ");
            client.dribble("a");
            assertThat(client.readUntilCutOff()).doesNotContain("HTTP/1.1 200 ");
        }
    }

    @Test
    void aBodyThatDribblesIsCutOff() throws IOException {
        try (RawClient client = connect()) {
            client.send(post(JSON + CLOSE + "Content-Length: 100000\r\n", "{"));
            client.dribble(" ");
            assertThat(client.readUntil("body_timeout"))
                    .startsWith("HTTP/1.1 408 ")
                    .contains("body_timeout");
        }
    }
}

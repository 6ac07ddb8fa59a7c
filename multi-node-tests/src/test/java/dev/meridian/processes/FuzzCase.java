package dev.meridian.processes;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * One hostile request, a function of its seed: a valid one of some route, with a few things about it broken, and a way of
 * sending it.
 *
 * @param latin1 what goes over the socket, a character for each byte
 * @param pieces in how many writes
 * @param behaviour what the client does besides reading the reply
 */
record FuzzCase(long seed, String latin1, int pieces, Behaviour behaviour, boolean admin) {
    /** Stands in prompts, keys and headers, and must never stand in a log. */
    static final String CANARY = "canary-7f3a9c";

    enum Behaviour {
        READ,
        CLOSE_AT_ONCE,
        CLOSE_AFTER_FIRST_BYTE,
        RESET,
        HALF_CLOSE
    }

    private static final String[] VALUES = {
        "null",
        "true",
        "-1",
        "0",
        "1",
        "2.5",
        "1e309",
        "-1e309",
        "1e-400",
        "9223372036854775808",
        "18446744073709551616",
        "\"\"",
        "\"hot\"",
        "\"\\u0000\"",
        "\"\\ud800\"",
        "\"" + "x".repeat(5000) + "\"",
        "[]",
        "{}",
        "[[[[]]]]",
        "{\"a\":{\"b\":{}}}",
        "[1,\"a\",null]",
        "99999999999999999999999999999999999999",
        "0.1e+3",
        "-0",
        "\"%00\"",
        "\"../../etc/passwd\"",
        "{\"0\":100}",
        "{\"511\":-100,\"x\":1}",
        "[\"stop\",\"\"]",
        "128",
        "129"
    };
    private static final String[] NAMES = {
        "model",
        "messages",
        "prompt",
        "stream",
        "stream_options",
        "n",
        "stop",
        "seed",
        "temperature",
        "top_p",
        "top_k",
        "min_p",
        "logit_bias",
        "logprobs",
        "top_logprobs",
        "max_tokens",
        "max_completion_tokens",
        "presence_penalty",
        "frequency_penalty",
        "repetition_penalty",
        "user",
        "tools",
        "response_format",
        "service_tier",
        "foo",
        "",
        "role",
        "content",
        "store",
        "echo",
        "suffix",
        "best_of"
    };
    private static final String[] HEADERS = {
        "Transfer-Encoding: chunked",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: identity",
        "Content-Encoding: gzip",
        "Content-Length: 0",
        "Content-Length: -1",
        "Content-Length: 99999999999999999999",
        "Content-Length: 7",
        "Connection: close",
        "Connection: upgrade",
        "Upgrade: h2c",
        "Upgrade: websocket",
        "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
        "Expect: 100-continue",
        "Expect: nothing",
        "Host: evil.example",
        "Host: localhost",
        "Host:",
        "Origin: http://evil.example",
        "Origin: null",
        "Authorization: Bearer " + CANARY,
        "Authorization: " + "a".repeat(3000),
        "X-Request-Id: " + CANARY,
        "X-Request-Id: \u00e9\u0000",
        "Content-Type: text/plain",
        "Content-Type: application/json; charset=utf-16",
        "Content-Type: /",
        "Range: bytes=0-1",
        "Accept-Encoding: gzip",
        "no colon at all",
        ": no name",
        "X-Long: " + "l".repeat(20_000),
        " folded: line",
        "Access-Control-Request-Method: POST",
        "Cookie: " + CANARY,
        "TE: trailers",
        "Trailer: X"
    };
    private static final String[] TARGETS = {
        "/v1/models",
        "/v1/models/atlas",
        "/v1/models/..%2f..%2fetc%2fpasswd",
        "/v1/models/%00",
        "/v1/models/%",
        "/v1//models",
        "/v1/chat/completions/",
        "/../v1/models",
        "http://localhost/v1/models",
        "*",
        "/",
        "",
        "/v1/models/" + "m".repeat(3000),
        "/v1/models?x=" + CANARY,
        "/v1/models#f",
        "/health/ready",
        "/metrics",
        "/v1/%zz"
    };
    private static final String[] METHODS = {
        "GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE", "CONNECT", "PRI", "get", ""
    };

    byte[] bytes() {
        return latin1.getBytes(StandardCharsets.ISO_8859_1);
    }

    static FuzzCase of(long seed) {
        return new Builder(seed).build();
    }

    /** Draws one case. */
    private static final class Builder {
        private final long seed;
        private final Random random;

        Builder(long seed) {
            this.seed = seed;
            random = new Random(seed);
        }

        FuzzCase build() {
            boolean admin = chance(20);
            boolean post = !admin && !chance(6);
            boolean chat = random.nextBoolean();
            String target = post
                    ? chat ? "/v1/chat/completions" : "/v1/completions"
                    : admin
                            ? pick("/health/live", "/health/ready", "/metrics")
                            : pick("/v1/models", "/v1/models/atlas");
            String body = post ? body(chat) : "";
            byte[] bytes = request(post ? "POST" : "GET", target, body);
            if (chance(6)) {
                bytes = damage(bytes);
            }
            Behaviour behaviour = chance(4)
                    ? List.of(Behaviour.values()).get(random.nextInt(Behaviour.values().length))
                    : Behaviour.READ;
            return new FuzzCase(
                    seed,
                    new String(bytes, StandardCharsets.ISO_8859_1),
                    chance(4) ? 1 + random.nextInt(8) : 1,
                    behaviour,
                    admin);
        }

        private String body(boolean chat) {
            List<String> fields = new ArrayList<>();
            fields.add("\"model\":\"" + pick("atlas", "atlas", "atlas-int4") + "\"");
            fields.add(
                    chat
                            ? "\"messages\":[{\"role\":\"user\",\"content\":\"What is " + CANARY + "?\"}]"
                            : "\"prompt\":\"" + CANARY + "\"");
            fields.add("\"max_tokens\":" + (1 + random.nextInt(8)));
            if (random.nextBoolean()) {
                fields.add("\"stream\":true");
            }
            for (int i = random.nextInt(4); i > 0; i--) {
                String field = "\"" + pick(NAMES) + "\":" + pick(VALUES);
                if (chance(3)) {
                    fields.set(random.nextInt(fields.size()), field);
                } else {
                    fields.add(random.nextInt(fields.size() + 1), field);
                }
            }
            if (chance(12)) {
                fields.add("\"stop\":" + "[".repeat(random.nextInt(100_000)));
            }
            return "{" + String.join(",", fields) + "}";
        }

        private byte[] request(String method, String target, String body) {
            byte[] payload =
                    chance(5) ? damage(body.getBytes(StandardCharsets.UTF_8)) : body.getBytes(StandardCharsets.UTF_8);
            List<String> head = new ArrayList<>();
            head.add((chance(15) ? pick(METHODS) : method) + " " + (chance(12) ? pick(TARGETS) : target) + " "
                    + (chance(25) ? pick("HTTP/1.0", "HTTP/2.0", "HTTP/9.9", "HTTP/1.1 x", "") : "HTTP/1.1"));
            head.add("Host: localhost");
            if (!body.isEmpty()) {
                head.add("Content-Type: application/json");
            }
            boolean chunked = chance(5);
            if (chunked) {
                head.add("Transfer-Encoding: chunked");
            } else if (payload.length > 0) {
                head.add("Content-Length: " + (chance(15) ? random.nextInt(2 * payload.length) : payload.length));
            }
            for (int i = chance(3) ? 1 + random.nextInt(3) : 0; i > 0; i--) {
                head.add(1 + random.nextInt(head.size()), pick(HEADERS));
            }
            if (chance(60)) {
                for (int i = 0; i < 2000; i++) {
                    head.add("X-" + i + ": " + i);
                }
            }
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            all.writeBytes((String.join("\r\n", head) + "\r\n\r\n").getBytes(StandardCharsets.ISO_8859_1));
            all.writeBytes(chunked ? chunks(payload) : payload);
            return all.toByteArray();
        }

        private byte[] chunks(byte[] payload) {
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            int size = 1 + random.nextInt(12);
            for (int at = 0; at < payload.length; at += size) {
                int length = Math.min(size, payload.length - at);
                String said = chance(400) ? pick("-1", "ffffffffffffffff", "g", "") : Integer.toHexString(length);
                all.writeBytes((said + "\r\n").getBytes(StandardCharsets.US_ASCII));
                all.write(payload, at, length);
                all.writeBytes("\r\n".getBytes(StandardCharsets.US_ASCII));
            }
            all.writeBytes(
                    (chance(10) ? "0\r\nX-Trailer: t\r\n\r\n" : "0\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
            return all.toByteArray();
        }

        private byte[] damage(byte[] whole) {
            byte[] bytes = whole.clone();
            if (bytes.length == 0) {
                return bytes;
            }
            for (int i = 1 + random.nextInt(4); i > 0; i--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
            }
            return chance(3) ? Arrays.copyOf(bytes, random.nextInt(bytes.length)) : bytes;
        }

        private boolean chance(int oneIn) {
            return random.nextInt(oneIn) == 0;
        }

        private String pick(String... choices) {
            return choices[random.nextInt(choices.length)];
        }
    }
}

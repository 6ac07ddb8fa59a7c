package dev.meridian.bench.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class ReplyParserTest {
    private static final String STREAM = String.join(
            "\r\n",
            "HTTP/1.1 200 OK",
            "Content-Type: text/event-stream",
            "Transfer-Encoding: chunked",
            "",
            "5",
            "data:",
            "9;ext=1",
            " one\n\ndat",
            "8",
            "a: two\n\n",
            "0",
            "",
            "");

    private static final class Seen implements BodySink {
        private final List<String> all = new ArrayList<>();

        @Override
        public void status(int code) {
            all.add("status " + code);
        }

        @Override
        public void line(byte[] bytes, int length) {
            all.add(new String(bytes, 0, length, StandardCharsets.UTF_8));
        }

        @Override
        public void end() {
            all.add("end");
        }
    }

    private static List<String> feed(ReplyParser parser, String reply, int pieces) throws MalformedReply {
        Seen seen = new Seen();
        byte[] bytes = reply.getBytes(StandardCharsets.UTF_8);
        for (int at = 0; at < bytes.length; at += pieces) {
            parser.feed(bytes, at, Math.min(bytes.length, at + pieces), seen);
        }
        return seen.all;
    }

    /** However the bytes are cut, within a header, a chunk's size or a line. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7, 50, 1000})
    void chunksBecomeLines(int pieces) throws MalformedReply {
        ReplyParser parser = new ReplyParser();

        assertThat(feed(parser, STREAM, pieces)).containsExactly("status 200", "data: one", "", "data: two", "", "end");
        assertThat(parser.isReusable()).isTrue();
    }

    @Test
    void aBodyOfKnownLengthEndsWithItAndTheNextReplyFollows() throws MalformedReply {
        ReplyParser parser = new ReplyParser();
        String reply = "HTTP/1.1 429 Too Many\r\ncontent-length: 7\r\nConnection: close\r\n\r\n{\"a\":1}";

        assertThat(feed(parser, reply, 4)).containsExactly("status 429", "{\"a\":1}", "end");
        assertThat(parser.isReusable()).isFalse();
        parser.reset();
        assertThat(feed(parser, STREAM, 1000)).startsWith("status 200", "data: one");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            HTTP/2 200 OK~~                                                       | not a status line
            HTTP/1.1 200 OK~~                                                     | neither Content-Length nor chunks
            HTTP/1.1 200 OK~Content-Length: x~~                                   | not a number: x
            HTTP/1.1 200 OK~Transfer-Encoding: chunked~~zz~                       | not the size of a chunk: zz
            HTTP/1.1 200 OK~Transfer-Encoding: chunked~~1~ab~                     | longer than its size
            HTTP/1.1 200 OK~Content-Length: 0~~HTTP                               | 4 bytes behind the end
            """)
    void whatIsNotHttpIsNamed(String reply, String message) {
        assertThatThrownBy(() -> feed(new ReplyParser(), reply.replace("~", "\r\n"), 1000))
                .isInstanceOf(MalformedReply.class)
                .hasMessageContaining(message);
    }
}

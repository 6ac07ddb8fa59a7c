package dev.meridian.bench.soak;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.bench.soak.SoakRequest.Kind;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

final class ReplyCheckTest {
    private static final SoakRequest GREEDY = new SoakRequest(1, Kind.IDS_STREAMED, 9, 2, 0);

    private final ReplyCheck check = new ReplyCheck();

    private static ReplyReader reply(String... lines) {
        ReplyReader reply = new ReplyReader(true);
        reply.status(200);
        for (String line : lines) {
            byte[] bytes = line.getBytes(StandardCharsets.UTF_8);
            reply.line(bytes, bytes.length);
        }
        reply.end();
        return reply;
    }

    private static String piece(String text, String finish) {
        return "data: {\"choices\":[{\"text\":\"" + text + "\",\"finish_reason\":" + finish + "}],\"usage\":null}";
    }

    private static String usage(int prompt, int completion) {
        return "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":" + prompt + ",\"completion_tokens\":" + completion
                + "}}";
    }

    private static ReplyReader good(String first, String second) {
        return reply(
                ": waiting", "", piece(first, "null"), piece(second, "\"length\""), usage(9, 2), "data: [DONE]", "");
    }

    @Test
    void aRightReplyPassesAgainAndAgain() {
        assertThat(check.complete(GREEDY, good("a", "b"))).isEmpty();
        assertThat(check.complete(GREEDY, good("a", "b"))).isEmpty();
        assertThat(check.difference(GREEDY, good("a", "b"))).isEmpty();
    }

    @Test
    void otherWordsToTheSamePromptAreSeen() {
        assertThat(check.difference(GREEDY, good("a", "c"))).isEmpty();
        assertThat(check.complete(GREEDY, good("a", "b"))).isEmpty();

        assertThat(check.difference(GREEDY, good("a", "c")))
                .hasValue("other words than the first time, from character 1 of 2 on");
        SoakRequest leaving = new SoakRequest(1, Kind.IDS_STREAMED, 9, 2, 1);
        assertThat(check.difference(leaving, reply(piece("a", "null")))).isEmpty();
        assertThat(check.difference(leaving, reply(piece("b", "null")))).isPresent();
    }

    @Test
    void everyWayToBeWrongIsNamed() {
        assertThat(check.complete(GREEDY, reply(piece("a", "null"), usage(9, 2))))
                .hasValue("the reply ended without [DONE]");
        assertThat(check.complete(GREEDY, reply(piece("a", "\"length\""), usage(8, 2), "data: [DONE]")))
                .hasValue("usage counts 8 prompt tokens of 9");
        assertThat(check.complete(GREEDY, reply(piece("a", "\"stop\""), usage(9, 1), "data: [DONE]")))
                .hasValue("finish stop after 1 tokens of 2");
        assertThat(check.complete(
                        GREEDY,
                        reply(
                                piece("a", "null"),
                                piece("b", "null"),
                                piece("c", "\"length\""),
                                usage(9, 2),
                                "data: [DONE]")))
                .hasValue("3 pieces of text for 2 tokens");
        assertThat(check.complete(GREEDY, reply("data: {", "data: [DONE]")))
                .hasValueSatisfying(fault -> assertThat(fault).startsWith("not JSON"));
    }

    @Test
    void aDrawnReplyMayEndEarly() {
        SoakRequest drawn = new SoakRequest(1, Kind.CHAT_SAMPLED, 9, 5, 0);

        assertThat(check.complete(drawn, reply(piece("a", "\"stop\""), usage(12, 1), "data: [DONE]")))
                .isEmpty();
        assertThat(check.complete(drawn, reply(piece("a", "\"length\""), usage(12, 1), "data: [DONE]")))
                .isPresent();
    }
}

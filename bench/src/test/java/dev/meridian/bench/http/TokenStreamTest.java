package dev.meridian.bench.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class TokenStreamTest {
    private static final int PROMPT = 17;
    private static final int TOKENS = 4;
    private static final String TIMINGS = ",\"timings\":{\"queue_ms\":1.5,\"prefill_ms\":0.25,\"total_ms\":3}";

    /** What a right server sends: an empty line behind each event, the finish with the last token. */
    private static List<String> lines() {
        List<String> lines = new ArrayList<>(List.of(": waiting", ""));
        int id = PROMPT;
        for (int index = 0; index < TOKENS; index++) {
            id = Script.next(id);
            lines.add(event(Script.text(id, index, 1000 + index), index == TOKENS - 1));
            lines.add("");
        }
        lines.add("data: [DONE]");
        lines.add("");
        return lines;
    }

    private static String event(String text, boolean last) {
        return "data: {\"id\":\"cmpl-1\",\"choices\":[{\"index\":0,\"text\":\"" + text + "\",\"logprobs\":null,"
                + "\"finish_reason\":" + (last ? "\"length\"}]" + TIMINGS : "null}]") + "}";
    }

    private static TokenStream read(List<String> lines) {
        TokenStream stream = new TokenStream(PROMPT, TOKENS, () -> 5000);
        stream.status(200);
        for (String line : lines) {
            byte[] bytes = line.getBytes(StandardCharsets.US_ASCII);
            stream.line(bytes, bytes.length);
        }
        stream.end();
        return stream;
    }

    private static void assertCounts(TokenStream stream, int lost, int doubled, int changed) {
        assertThat(List.of(stream.lost(), stream.doubled(), stream.changed()))
                .as("lost, doubled, changed")
                .containsExactly((long) lost, (long) doubled, (long) changed);
    }

    @Test
    void aWholeStreamHasItsTimes() {
        TokenStream stream = read(lines());

        assertCounts(stream, 0, 0, 0);
        assertThat(stream.received()).isEqualTo(TOKENS);
        assertThat(stream.made(3)).isEqualTo(1003);
        assertThat(stream.came(0)).isEqualTo(5000);
        assertThat(stream.engineNanos()).isEqualTo(1.75e6);
    }

    @Test
    void aTokenThatIsMissingIsLost() {
        List<String> lines = lines();
        lines.remove(4);

        assertCounts(read(lines), 1, 0, 0);
    }

    @Test
    void aTokenThatComesTwiceIsDoubled() {
        List<String> lines = lines();
        lines.add(5, lines.get(4));

        assertCounts(read(lines), 0, 1, 0);
    }

    @Test
    void aTokenMoreThanWasAskedForIsDoubled() {
        List<String> lines = lines();
        lines.add(9, event(Script.text(1, TOKENS, 1), false));

        assertCounts(read(lines), 0, 1, 0);
    }

    @Test
    void swappedTokensAreLostAndDoubled() {
        List<String> lines = lines();
        lines.set(2, lines().get(4));
        lines.set(4, lines().get(2));

        assertCounts(read(lines), 1, 1, 0);
    }

    /** The text of another stream: its ids are others at every place. */
    @Test
    void anotherStreamsTokenIsChanged() {
        List<String> lines = lines();
        lines.set(4, event(Script.text(Script.next(Script.next(PROMPT + 1)), 1, 1001), false));

        assertCounts(read(lines), 0, 0, 1);
    }

    @Test
    void aTextThatIsNoneIsChangedAndItsTokenLost() {
        List<String> lines = lines();
        lines.set(4, event("Lima", false));

        assertCounts(read(lines), 1, 0, 1);
    }

    @Test
    void aStreamThatBreaksOffHasLostTheRest() {
        assertCounts(read(lines().subList(0, 5)), 2, 0, 1);
        TokenStream broken = new TokenStream(PROMPT, TOKENS, () -> 0);
        broken.broken();
        assertCounts(broken, TOKENS, 0, 1);
    }

    @Test
    void anErrorIsNoToken() {
        List<String> lines = lines().subList(0, 5);
        lines.add("data: {\"error\":{\"message\":\"lost\",\"code\":\"replica_lost\"}}");

        assertCounts(read(lines), 2, 0, 2);
    }

    @Test
    void streamsOfDifferentPromptsNeverMeet() {
        assertThat(IntStream.range(0, Script.VOCABULARY).map(Script::next).distinct())
                .hasSize(Script.VOCABULARY);
    }
}

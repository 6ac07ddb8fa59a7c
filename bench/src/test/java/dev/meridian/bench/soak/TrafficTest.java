package dev.meridian.bench.soak;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.meridian.bench.soak.SoakRequest.Kind;
import java.io.IOException;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class TrafficTest {
    private static final int CONTEXT = 512;

    private final Traffic traffic = new Traffic(
            Trace.synthetic(1),
            "little",
            new Traffic.Shape(CONTEXT, 300, List.of(0, 2)),
            new Traffic.ChatCost(10, 1.5));

    private List<SoakRequest> all(int round) {
        return IntStream.range(0, traffic.rows())
                .mapToObj(row -> traffic.request(row, round))
                .toList();
    }

    @Test
    void everyRequestFitsTheContext() {
        assertThat(all(0)).allSatisfy(request -> {
            assertThat(request.promptTokens()).isPositive();
            assertThat(request.replyTokens()).isPositive();
            assertThat(request.promptTokens() + request.replyTokens()).isLessThanOrEqualTo(CONTEXT);
            assertThat(request.leaveAfter()).isLessThan(request.replyTokens());
        });
    }

    @Test
    void lengthsAreScaledAndNotStretched() {
        assertThat(traffic.lengthScale()).isBetween(0.02, 0.5);
        assertThat(new Trace("short", List.of(new Trace.Arrival(0, 5, 5), new Trace.Arrival(9, 9, 9))).lengthScale(512))
                .isEqualTo(1);
    }

    @Test
    void kindsAndLeavingClientsHaveTheirShares() {
        List<SoakRequest> all = all(0);

        assertThat(share(all.stream().filter(r -> r.kind() == Kind.IDS_STREAMED).count()))
                .isCloseTo(0.5, within(0.02));
        assertThat(share(all.stream().filter(r -> r.kind() == Kind.CHAT_SAMPLED).count()))
                .isCloseTo(0.1, within(0.02));
        assertThat(share(all.stream().filter(r -> r.leaveAfter() > 0).count())).isBetween(0.02, 0.06);
    }

    private double share(long count) {
        return count / (double) traffic.rows();
    }

    @Test
    void aRowAsksTheSameEachTimeAndOtherClientsLeave() {
        List<SoakRequest> first = all(0);
        List<SoakRequest> second = all(1);

        assertThat(IntStream.range(0, traffic.rows()))
                .allSatisfy(row -> assertThat(second.get(row))
                        .usingRecursiveComparison()
                        .ignoringFields("leaveAfter")
                        .isEqualTo(first.get(row)));
        assertThat(second).isNotEqualTo(first);
        assertThat(traffic.body(second.getFirst())).isEqualTo(traffic.body(first.getFirst()));
    }

    @Test
    void bodiesAskForWhatTheRequestSays() throws IOException {
        SoakRequest ids = new SoakRequest(3, Kind.IDS_STREAMED, 40, 7, 0);
        JsonNode body = new JsonMapper().readTree(traffic.body(ids));

        assertThat(body.path("prompt")).hasSize(40).allMatch(id -> id.asInt() >= 16 && id.asInt() < 300);
        assertThat(body.path("max_tokens").asInt()).isEqualTo(7);
        assertThat(body.path("logit_bias").path("2").asInt()).isEqualTo(-100);
        assertThat(body.path("stream").asBoolean()).isTrue();
    }

    @Test
    void whatWordsCostIsReadFromTwoChats() {
        Traffic.ChatCost cost = Traffic.ChatCost.between(10, 35, 40, 95);

        assertThat(cost).isEqualTo(new Traffic.ChatCost(15, 2));
        assertThat(cost.words(100)).isEqualTo(42);
        assertThat(cost.words(3)).isEqualTo(1);
    }
}

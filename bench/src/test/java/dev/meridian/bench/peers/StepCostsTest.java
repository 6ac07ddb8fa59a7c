package dev.meridian.bench.peers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.meridian.bench.MeasurementFailed;
import dev.meridian.bench.peers.StepCosts.Cost;
import org.junit.jupiter.api.Test;

class StepCostsTest {
    /** A run that does not count, then two of 1,000 microseconds each. */
    private static final String PROFILE = """
            [{"cat":"Session","name":"model_loading_uri","ts":0,"dur":50000},
             {"cat":"Session","name":"model_run","ts":1000,"dur":9000},
             {"cat":"Node","name":"a_kernel_time","ts":1500,"dur":8000,"args":{"op_name":"Q4Gemm"}},
             {"cat":"Session","name":"model_run","ts":20000,"dur":1000},
             {"cat":"Node","name":"a_kernel_time","ts":20100,"dur":500,"args":{"op_name":"Q4Gemm"}},
             {"cat":"Node","name":"b_kernel_time","ts":20600,"dur":100,"args":{"op_name":"BlockAttention"}},
             {"cat":"Node","name":"b_fence_after","ts":20700,"dur":100,"args":{"op_name":"BlockAttention"}},
             {"cat":"Session","name":"model_run","ts":30000,"dur":1000},
             {"cat":"Node","name":"a_kernel_time","ts":30100,"dur":700,"args":{"op_name":"Q4Gemm"}},
             {"cat":"Node","name":"b_kernel_time","ts":30800,"dur":100,"args":{"op_name":"BlockAttention"}}]
            """;

    private static JsonNode events() throws Exception {
        return JsonMapper.builder().build().readTree(PROFILE);
    }

    @Test
    void theLastRunsAreDividedAmongTheirOperators() throws Exception {
        assertThat(StepCosts.costs("decode1", events(), 2))
                .containsExactly(
                        new Cost("decode1", "Q4Gemm", 0.6, 0.6),
                        new Cost("decode1", "(other)", 0.3, 0.3),
                        new Cost("decode1", "BlockAttention", 0.1, 0.1));
    }

    @Test
    void aProfileOfFewerRunsIsRefused() {
        assertThatThrownBy(() -> StepCosts.costs("decode1", events(), 4))
                .isInstanceOf(MeasurementFailed.class)
                .hasMessage("the profile has 3 runs of 4");
    }
}

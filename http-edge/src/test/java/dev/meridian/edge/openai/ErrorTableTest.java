package dev.meridian.edge.openai;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.edge.stream.StreamFailure;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ErrorTableTest {
    @ParameterizedTest
    @CsvSource({"1, The reply was not finished in 1 attempt.", "8, The reply was not finished in 8 attempts."})
    void usedUpAttemptsAreCalledThatAndNotALostReplica(int attempts, String message) {
        assertThat(ErrorTable.of(new StreamFailure.AttemptsExhausted(attempts)))
                .isEqualTo(new ApiError(503, "server_error", "attempts_exhausted", message, null, 2));
    }

    @Test
    void onlyALostReplicaWithoutAnotherIsCalledGone() {
        assertThat(ErrorTable.of(new StreamFailure.ReplicaLost("atlas")))
                .isEqualTo(new ApiError(
                        503,
                        "server_error",
                        "replica_lost",
                        "The replica of 'atlas' is gone and there is no other.",
                        null,
                        2));
    }
}

package dev.meridian.bench.peers;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What {@code bench peers} runs.
 *
 * @param shape of all contenders' weights
 * @param models absolute folder whose only bundle has the shape's label for its name; int4
 * @param scratch folder for what goes when the measurement ends
 * @param threads of each engine
 * @param rounds that count, after one that warms up
 * @param npm folder of node-llama-cpp, installed there unless it is; empty where it is not wanted
 * @param llamaBench a local build's {@code llama-bench}
 * @param llamaArguments further arguments for it
 * @param batchedArguments further arguments for {@code llama-batched-bench}
 */
public record PeersPlan(
        PeerShape shape,
        Path models,
        Path scratch,
        int threads,
        int rounds,
        Optional<Path> npm,
        Optional<Path> llamaBench,
        List<String> llamaArguments,
        List<String> batchedArguments) {
    public PeersPlan {
        llamaArguments = List.copyOf(llamaArguments);
        batchedArguments = List.copyOf(batchedArguments);
    }

    Path bundle() {
        return models.resolve(shape.label());
    }
}

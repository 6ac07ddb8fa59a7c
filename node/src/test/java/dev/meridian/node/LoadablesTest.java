package dev.meridian.node;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.actors.Loadable;
import dev.meridian.engine.MemoryPlan;
import dev.meridian.engine.bundle.Bundle;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How a node divides its memory among its bundles. */
final class LoadablesTest {
    private static final long BUDGET = 1 << 30;

    @TempDir
    private Path folder;

    private static NodeSettings settings(int atATime) {
        return NodeSettings.load(
                null, Map.of("meridian.engine.memory-budget", BUDGET, "meridian.node.models-at-a-time", atATime));
    }

    private List<Long> reserved(int atATime) throws IOException {
        Path own = folder.resolve("for-" + atATime);
        assertThat(own.toFile().mkdir()).isTrue();
        List<Bundle> bundles = List.of(
                Bundles.write(own.resolve("a")), Bundles.write(own.resolve("b")), Bundles.write(own.resolve("c")));
        return Loadables.of(bundles, settings(atATime), new SimpleMeterRegistry()).stream()
                .map(Loadable::reservedBytes)
                .toList();
    }

    @Test
    void allModelsFitTogetherUnlessFewerAreToBeLoadedAtATime() throws IOException {
        assertThat(reserved(0)).allMatch(bytes -> 3 * bytes <= BUDGET && 3 * bytes > BUDGET - 3);
        assertThat(reserved(2)).allMatch(bytes -> 2 * bytes <= BUDGET && 2 * bytes > BUDGET - 2);
        assertThat(reserved(1)).allMatch(bytes -> bytes == BUDGET);
        assertThat(reserved(5)).isEqualTo(reserved(3));
    }

    @Test
    void aModelGetsAtLeastWhatItTakesBeforeItsFirstToken() throws IOException {
        Bundle bundle = Bundles.write(folder.resolve("large"));
        NodeSettings small = NodeSettings.load(null, Map.of("meridian.engine.memory-budget", 1));

        assertThat(Loadables.of(List.of(bundle), small, new SimpleMeterRegistry()))
                .extracting(Loadable::reservedBytes)
                .containsExactly(MemoryPlan.fixedBytes(bundle, small.models()));
    }
}

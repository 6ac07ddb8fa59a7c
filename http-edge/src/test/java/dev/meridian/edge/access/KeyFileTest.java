package dev.meridian.edge.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.meridian.protocol.cluster.Residency;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class KeyFileTest {
    private static final Instant NOW = Instant.parse("2030-01-01T00:00:00Z");

    @TempDir
    private Path folder;

    @Test
    void whatIsWrittenIsReadAgainAndTheKeyIsNotInIt() throws IOException {
        Path file = folder.resolve("state/keys.json");
        String secret = KeySecret.next(new SecureRandom());
        ApiKey all = new ApiKey(
                "a",
                Keys.sha256(secret),
                Role.ADMIN,
                List.of("atlas"),
                Residency.in(List.of("us", "eu")),
                1,
                2,
                3,
                Keys.CREATED,
                NOW);
        ApiKey free = Keys.key("b", "b", Role.CLIENT, List.of(), null);
        Keys.write(file, all, free);

        assertThat(new KeyFile(file).read()).containsExactly(all, free);
        assertThat(secret).matches("mk-[A-Za-z0-9_-]{43}");
        assertThat(Files.readString(file)).doesNotContain(secret).doesNotContain(secret.substring(3, 20));
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
    }

    @ParameterizedTest
    @ValueSource(strings = {"[]", "null", "\"eu\"", "[1]", "[\"EU\"]"})
    void regionsThatCouldBeMistakenAreRefused(String regions) throws IOException {
        Path file = folder.resolve("keys.json");
        Keys.write(file, Keys.bound("a", "a", "eu"));
        String text = Files.readString(file).replaceAll("\\[ *\"eu\" *\\]", regions);
        Files.writeString(file, text);

        assertThat(text).contains(regions);
        assertThatThrownBy(() -> new KeyFile(file).read())
                .isInstanceOf(AccessException.class)
                .hasMessageContaining("region");
    }

    @Test
    void writersTakeTurns() {
        Path file = folder.resolve("keys.json");
        List<CompletableFuture<Void>> writers = IntStream.range(0, 8)
                .mapToObj(i -> CompletableFuture.runAsync(
                        () -> Keys.add(file, Keys.key("k" + i, "s" + i, Role.CLIENT, List.of(), null))))
                .toList();
        writers.forEach(CompletableFuture::join);

        assertThat(new KeyFile(file).read()).hasSize(8);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{",
                "[]",
                "{\"version\":2,\"keys\":[]}",
                "{\"version\":1,\"keys\":[{\"name\":\"canary\"}]}",
                "{\"version\":1,\"keys\":[{\"naem\":\"canary\"}]}",
                "{\"version\":1,\"keys\":[]} canary",
                "{\"version\":1,\"keys\":[canary]}"
            })
    void aBrokenFileIsNamedAndNotQuoted(String text) throws IOException {
        Path file = Files.writeString(folder.resolve("keys.json"), text);

        assertThatThrownBy(() -> new KeyFile(file).read())
                .isInstanceOf(AccessException.class)
                .hasMessageContaining(file + ": not a file of keys: ")
                .hasMessageNotContaining("canary");
    }

    @Test
    void aRunningRingFollowsTheFileAndKeepsWhatItHadWhenItBreaks() throws IOException {
        Path file = folder.resolve("keys.json");
        KeyRing ring = new KeyRing(new KeyFile(file), () -> NOW);
        assertThat(ring.find("one")).isEmpty();
        Keys.write(file, Keys.key("one", "one", Role.CLIENT, List.of(), null));
        ring.refresh();
        assertThat(ring.find("one")).map(ApiKey::name).hasValue("one");
        assertThat(ring.hasKeyFor(Role.ADMIN)).isFalse();
        Files.writeString(file, "{");
        ring.refresh();
        assertThat(ring.find("one")).map(ApiKey::name).hasValue("one");
        Keys.write(folder.resolve("other.json"), Keys.key("two", "two", Role.ADMIN, List.of(), null));
        Files.copy(folder.resolve("other.json"), file, StandardCopyOption.REPLACE_EXISTING);
        ring.refresh();
        assertThat(ring.find("one")).isEmpty();
        assertThat(ring.find("two")).map(ApiKey::name).hasValue("two");
        assertThat(ring.hasKeyFor(Role.CLIENT)).isTrue();
        Files.delete(file);
        ring.refresh();
        assertThat(ring.find("two")).as("a deleted file leaves no key").isEmpty();
    }

    @Test
    void aKeyIsGoodUntilTheMomentItExpires() {
        Path file = folder.resolve("keys.json");
        Keys.write(file, Keys.key("one", "one", Role.CLIENT, List.of(), NOW));

        assertThat(new KeyRing(new KeyFile(file), () -> NOW.minusMillis(1)).find("one"))
                .isPresent();
        assertThat(new KeyRing(new KeyFile(file), () -> NOW).find("one")).isEmpty();
        assertThat(new KeyRing(new KeyFile(file), () -> NOW).hasKeyFor(Role.CLIENT))
                .isFalse();
    }
}

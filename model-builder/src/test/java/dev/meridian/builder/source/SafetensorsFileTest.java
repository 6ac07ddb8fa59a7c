package dev.meridian.builder.source;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class SafetensorsFileTest {
    @TempDir
    Path folder;

    static List<Arguments> badHeaders() {
        return List.of(
                Arguments.of("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", "takes 8 bytes"),
                Arguments.of("{\"a\":{\"dtype\":\"F32\",\"shape\":[5],\"data_offsets\":[0,20]}}", "outside the file"),
                Arguments.of("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[-4,0]}}", "outside the file"),
                Arguments.of("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,4]}}", "outside the file"),
                Arguments.of("{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", "needs dtype"),
                Arguments.of("{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", "needs dtype"),
                Arguments.of(
                        "{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,16]}}",
                        "too large"),
                Arguments.of(
                        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
                                + "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}",
                        "a and b overlap"),
                Arguments.of(
                        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
                                + "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
                        "Duplicate"),
                Arguments.of(
                        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
                                + "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,16]}}",
                        "4 bytes between a and b belong to no tensor"),
                Arguments.of(
                        "{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,12]}}",
                        "4 bytes at the end belong to no tensor"),
                Arguments.of(
                        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,4]}}",
                        "a shape of at most 8 dimensions"),
                Arguments.of("{\"a\":" + "[".repeat(5000), "not valid JSON"),
                Arguments.of("[1, 2]", "not a JSON object"),
                Arguments.of("{\"a\": ", "not valid JSON"));
    }

    @ParameterizedTest
    @MethodSource("badHeaders")
    void headersThatLieAreRefused(String header, String reason) throws IOException {
        Path file = write(header.getBytes(StandardCharsets.UTF_8).length, header, 16);
        assertThatThrownBy(() -> SafetensorsFile.open(file))
                .isInstanceOf(ImportException.class)
                .hasMessageContaining(file.toString())
                .hasMessageContaining(reason);
    }

    @Test
    void headersLongerThanTheFileOrTheLimitAreRefused() throws IOException {
        for (long length : new long[] {-1, 0, 1, 1000, Long.MAX_VALUE}) {
            Path file = write(length, "{}", 16);
            assertThatThrownBy(() -> SafetensorsFile.open(file))
                    .isInstanceOf(ImportException.class)
                    .hasMessageContaining("header of " + length);
        }
        Path sparse = write((100L << 20) + 1, "{}", 16);
        try (var grown = new java.io.RandomAccessFile(sparse.toFile(), "rw")) {
            grown.setLength(200L << 20);
        }
        assertThatThrownBy(() -> SafetensorsFile.open(sparse)).hasMessageContaining("is larger than 16777216");
        Path shortFile = Files.write(folder.resolve("short.safetensors"), new byte[7]);
        assertThatThrownBy(() -> SafetensorsFile.open(shortFile)).hasMessageContaining("7 bytes are too few");
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5})
    void damagedHeadersAreRefusedOrReadButNeverBreak(long seed) throws IOException {
        String header = "{\"__metadata__\":{\"format\":\"pt\"},"
                + "\"a\":{\"dtype\":\"BF16\",\"shape\":[2,2],\"data_offsets\":[0,8]},"
                + "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,16]}}";
        byte[] whole = Files.readAllBytes(write(header.length(), header, 16));
        String alphabet = "{}[],:\"0159-eE.x\0";
        Random random = new Random(seed);
        int refused = 0;
        for (int i = 0; i < 2000; i++) {
            byte[] damaged =
                    Arrays.copyOf(whole, random.nextInt(10) == 0 ? random.nextInt(whole.length) : whole.length);
            for (int flip = 0; flip < 2 && damaged.length > 0; flip++) {
                damaged[random.nextInt(damaged.length)] = (byte) alphabet.charAt(random.nextInt(alphabet.length()));
            }
            try (SafetensorsFile file = SafetensorsFile.open(Files.write(folder.resolve("damaged"), damaged))) {
                assertThat(file.tensors().values()).allSatisfy(t -> {
                    assertThat(t.offset()).isBetween(8L, (long) damaged.length);
                    assertThat(t.bytes()).isBetween(0L, damaged.length - t.offset());
                });
            } catch (ImportException e) {
                assertThat(e).hasMessageContaining("damaged: ");
                refused++;
            }
        }
        assertThat(refused).isGreaterThan(1000);
    }

    @Test
    void typesThatCannotBeReadAreRefusedOnlyWhereTheyAreNeeded() throws Exception {
        Path file = write(
                "{\"a\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[0,8]}}".length(),
                "{\"a\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[0,8]}}",
                8);
        Files.move(file, folder.resolve(Checkpoint.SINGLE_FILE));
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertThat(checkpoint.has("a")).isTrue();
            assertThatThrownBy(() -> checkpoint.require("a", List.of(1L)))
                    .isInstanceOf(ImportException.class)
                    .hasMessageContaining("type I64");
        }
    }

    @Test
    void indexesThatLieAreRefused() throws Exception {
        Path index = folder.resolve(Checkpoint.INDEX_FILE);
        refused(index, "{\"weight_map\": {\"a\": \"../x.safetensors\"}}", "plain name");
        refused(index, "{\"weight_map\": {\"a\": \"gone.safetensors\"}}", "gone.safetensors: no such file");
        refused(index, "{}", "weight_map is missing");
        String header = "{\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}";
        Files.move(write(header.length(), header, 4), folder.resolve("one.safetensors"));
        refused(index, "{\"weight_map\": {\"a\": \"one.safetensors\"}}", "tensor a is missing");
        Files.copy(folder.resolve("one.safetensors"), folder.resolve("two.safetensors"));
        refused(
                index,
                "{\"weight_map\": {\"a\": \"one.safetensors\", \"b\": \"two.safetensors\"}}",
                "b is in another shard too");
    }

    @Test
    void linksOutOfTheFolderAreRefusedButThoseOfACacheAreNot() throws Exception {
        String header = "{\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}";
        Path outside = write(header.length(), header, 4);
        Path snapshot = Files.createDirectories(folder.resolve("cache/snapshots/abc"));
        Path link = Files.createSymbolicLink(snapshot.resolve(Checkpoint.SINGLE_FILE), outside);
        assertThatThrownBy(() -> Checkpoint.open(snapshot))
                .isInstanceOf(ImportException.class)
                .hasMessageContaining("outside of the model's folder");
        Files.delete(link);
        Path blob = Files.move(
                outside, Files.createDirectory(folder.resolve("cache/blobs")).resolve("123"));
        Files.createSymbolicLink(link, blob);
        try (Checkpoint checkpoint = Checkpoint.open(snapshot)) {
            assertThat(checkpoint.has("b")).isTrue();
        }
    }

    private void refused(Path index, String json, String reason) throws IOException {
        Files.writeString(index, json);
        assertThatThrownBy(() -> Checkpoint.open(folder))
                .isInstanceOf(ImportException.class)
                .hasMessageContaining(reason);
    }

    private Path write(long headerLength, String header, int dataBytes) throws IOException {
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        ByteBuffer bytes = ByteBuffer.allocate(8 + json.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(headerLength).put(json);
        return Files.write(folder.resolve("test.safetensors"), bytes.array());
    }
}

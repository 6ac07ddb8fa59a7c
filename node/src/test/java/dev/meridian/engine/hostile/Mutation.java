package dev.meridian.engine.hostile;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;

/**
 * One damaged bundle: a seed decides what is damaged and how. As an attacker would, the manifest's lengths and digests are
 * made to fit afterwards.
 *
 * @param files changed files by name
 * @param harmless the meaning is the same, so the tokens must be
 */
record Mutation(Kind kind, Map<String, byte[]> files, boolean harmless) {
    static final String GRAPH = "model.onnx";
    static final String WEIGHTS = "model.onnx.data";
    static final String MANIFEST = "bundle.json";
    static final String TOKENIZER = "tokenizer.json";
    static final String TEMPLATE = "chat_template.jinja";

    /** For bundles that have none of their own. */
    private static final String PLAIN_TEMPLATE = "{{ messages[0].content }}";

    private static final List<String> SMALL_FILES =
            List.of("tokenizer_config.json", "generation_config.json", "special_tokens_map.json");
    private static final List<String> TEXTS = List.of(
            "",
            "../bundle.json",
            "/etc/passwd",
            "model.onnx",
            "bundle.json",
            "*/_ORT_MEM_ADDR_/*",
            "model.onnx.data/../../x",
            "c:\\x",
            "-1",
            "9223372036854775807",
            "18446744073709551616",
            "0x10",
            "64",
            "4096",
            "If",
            "Loop",
            "com.microsoft",
            "ai.onnx.ml",
            "logits",
            "past.0.key",
            "input_ids",
            "x".repeat(2000));
    private static final long[] NUMBERS = {
        0, 1, 2, 3, 7, 8, 16, 31, 32, 33, 64, 192, 255, 1 << 20, Integer.MAX_VALUE, -1, Long.MIN_VALUE, Long.MAX_VALUE
    };

    /** What is damaged, each with its share of forty seeds; those with none are rarer, because they cost most. */
    enum Kind {
        GRAPH_BYTES(6),
        GRAPH_FIELD(9),
        GRAPH_NUMBER(9),
        GRAPH_TEXT(7),
        GRAPH_SAME(0),
        MANIFEST_VALUE(3),
        TOKENIZER_BYTES(1),
        TOKENIZER_VALUE(3),
        SMALL_FILE(1),
        TEMPLATE_TEXT(1),
        TOKENIZER_SAME(0),
        WEIGHT_BYTES(0);

        private final int share;

        Kind(int share) {
            this.share = share;
        }
    }

    static Mutation of(long seed, Map<String, byte[]> whole) {
        Random random = new Random(seed * 0x9E3779B97F4A7C15L);
        Kind kind = kind(seed);
        Map<String, byte[]> files = new HashMap<>();
        switch (kind) {
            case GRAPH_BYTES -> files.put(GRAPH, bytes(file(whole, GRAPH), random));
            case GRAPH_FIELD -> files.put(GRAPH, fields(tree(whole), random));
            case GRAPH_NUMBER -> files.put(GRAPH, number(tree(whole), random));
            case GRAPH_TEXT -> files.put(GRAPH, text(tree(whole), random));
            case GRAPH_SAME -> files.put(GRAPH, same(tree(whole), random));
            case MANIFEST_VALUE -> {}
            case TOKENIZER_BYTES -> files.put(TOKENIZER, bytes(file(whole, TOKENIZER), random));
            case TOKENIZER_VALUE -> files.put(TOKENIZER, JsonDamage.value(file(whole, TOKENIZER), random));
            case TOKENIZER_SAME -> files.put(TOKENIZER, JsonDamage.same(file(whole, TOKENIZER)));
            case SMALL_FILE -> {
                String name = SMALL_FILES.get(random.nextInt(SMALL_FILES.size()));
                byte[] before = file(whole, whole.containsKey(name) ? name : "tokenizer_config.json");
                files.put(name, random.nextBoolean() ? bytes(before, random) : JsonDamage.value(before, random));
            }
            case TEMPLATE_TEXT ->
                files.put(
                        TEMPLATE,
                        TemplateDamage.of(
                                whole.getOrDefault(TEMPLATE, PLAIN_TEMPLATE.getBytes(StandardCharsets.UTF_8)), random));
            case WEIGHT_BYTES -> files.put(WEIGHTS, weights(file(whole, WEIGHTS), random));
        }
        ObjectNode manifest = JsonDamage.object(file(whole, MANIFEST));
        files.forEach((name, content) -> JsonDamage.describe(manifest, name, content));
        byte[] written = JsonDamage.bytes(manifest);
        files.put(MANIFEST, kind == Kind.MANIFEST_VALUE ? JsonDamage.value(written, random) : written);
        return new Mutation(kind, files, kind == Kind.GRAPH_SAME || kind == Kind.TOKENIZER_SAME);
    }

    private static byte[] file(Map<String, byte[]> whole, String name) {
        return Objects.requireNonNull(whole.get(name), name);
    }

    private static Kind kind(long seed) {
        switch ((int) (seed % 200)) {
            case 179 -> {
                return Kind.GRAPH_SAME;
            }
            case 139 -> {
                return Kind.TOKENIZER_SAME;
            }
            case 99 -> {
                return Kind.WEIGHT_BYTES;
            }
            default -> {}
        }
        int at = (int) (seed % 40);
        for (Kind kind : Kind.values()) {
            at -= kind.share;
            if (at < 0) {
                return kind;
            }
        }
        throw new IllegalStateException("shares are no forty");
    }

    private static WireTree tree(Map<String, byte[]> whole) {
        return WireTree.parse(file(whole, GRAPH), 12).orElseThrow();
    }

    /** Flips, cuts, inserts and doubles bytes, as a broken disk or a blind attacker would. */
    static byte[] bytes(byte[] whole, Random random) {
        byte[] bytes = whole.clone();
        int at = random.nextInt(bytes.length);
        int length = 1 + random.nextInt(Math.min(64, bytes.length - at));
        return switch (random.nextInt(5)) {
            case 0 -> Arrays.copyOf(bytes, at);
            case 1 -> joined(Arrays.copyOf(bytes, at), Arrays.copyOfRange(bytes, at + length, bytes.length));
            case 2 -> joined(Arrays.copyOf(bytes, at + length), Arrays.copyOfRange(bytes, at, bytes.length));
            default -> {
                for (int i = 0; i <= random.nextInt(4); i++) {
                    bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
                }
                yield bytes;
            }
        };
    }

    private static byte[] joined(byte[] first, byte[] second) {
        byte[] all = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, all, first.length, second.length);
        return all;
    }

    private static byte[] fields(WireTree tree, Random random) {
        WireTree message = tree.any(random);
        WireTree other = tree.any(random);
        int at = random.nextInt(message.fields.size());
        WireTree.Field field = message.fields.get(at);
        WireTree.Field foreign =
                other.fields.get(random.nextInt(other.fields.size())).copy();
        switch (random.nextInt(6)) {
            case 0 -> message.fields.remove(at);
            case 1 -> message.fields.add(at, field.copy());
            case 2 -> message.fields.add(field.copy());
            case 3 -> message.fields.add(at, foreign);
            case 4 -> message.fields.set(at, foreign);
            default -> {
                int with = random.nextInt(message.fields.size());
                message.fields.set(at, message.fields.get(with));
                message.fields.set(with, field);
            }
        }
        return tree.write();
    }

    /** One number of the graph becomes another, most often one at an edge. */
    private static byte[] number(WireTree tree, Random random) {
        List<WireTree.Field> numbers = tree.messages().stream()
                .flatMap(message -> message.fields.stream())
                .filter(field -> field.message.isEmpty() && (field.wire != 2 || isRaw(field)))
                .toList();
        WireTree.Field field = numbers.get(random.nextInt(numbers.size()));
        if (field.wire == 0) {
            field.value = random.nextInt(3) == 0
                    ? field.value + random.nextInt(5) - 2
                    : NUMBERS[random.nextInt(NUMBERS.length)];
        } else {
            float[] floats = {0f, -1f, 1f, Float.NaN, Float.POSITIVE_INFINITY, Float.MIN_VALUE, Float.MAX_VALUE};
            long bits = random.nextBoolean()
                    ? Float.floatToRawIntBits(floats[random.nextInt(floats.length)])
                    : NUMBERS[random.nextInt(NUMBERS.length)];
            for (int i = 0; i < field.bytes.length; i++) {
                field.bytes[i] = (byte) (bits >>> (8 * (i % 8)));
            }
        }
        return tree.write();
    }

    /** The bytes of a constant inside the graph. */
    private static boolean isRaw(WireTree.Field field) {
        return field.number == 9 && field.bytes.length % 8 == 0 && field.bytes.length > 0;
    }

    private static byte[] text(WireTree tree, Random random) {
        List<WireTree.Field> texts = tree.messages().stream()
                .flatMap(message -> message.fields.stream())
                .filter(field -> field.wire == 2 && field.message.isEmpty() && field.bytes.length > 0)
                .toList();
        WireTree.Field field = texts.get(random.nextInt(texts.size()));
        field.bytes = random.nextInt(3) == 0
                ? texts.get(random.nextInt(texts.size())).bytes.clone()
                : TEXTS.get(random.nextInt(TEXTS.size())).getBytes(StandardCharsets.UTF_8);
        return tree.write();
    }

    /** Other bytes of the same meaning: longer varints, another producer, a remark. */
    private static byte[] same(WireTree tree, Random random) {
        WireTree.Field remark = new WireTree.Field(6, 2);
        remark.bytes = "a remark".getBytes(StandardCharsets.UTF_8);
        switch (random.nextInt(3)) {
            case 0 -> {
                return tree.write(1 + random.nextInt(2));
            }
            case 1 -> tree.fields.add(remark);
            default ->
                tree.fields.stream()
                        .filter(field -> field.number == 2)
                        .forEach(field -> field.bytes = "somebody".getBytes(StandardCharsets.UTF_8));
        }
        return tree.write();
    }

    private static byte[] weights(byte[] whole, Random random) {
        if (random.nextInt(3) == 0) {
            return bytes(whole, random);
        }
        byte[] changed = whole.clone();
        int at = random.nextInt(changed.length);
        byte fill = (byte) random.nextInt(256);
        Arrays.fill(changed, at, Math.min(changed.length, at + random.nextInt(1 << 16)), fill);
        return changed;
    }
}

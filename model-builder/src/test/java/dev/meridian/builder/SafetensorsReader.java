package dev.meridian.builder;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Reads every tensor of a folder's safetensors files into memory, for the reference and trusting the files. */
final class SafetensorsReader {
    private SafetensorsReader() {}

    static Map<String, double[]> readAll(Path folder) throws IOException {
        List<Path> files;
        try (var all = Files.list(folder)) {
            files = all.filter(f -> f.toString().endsWith(".safetensors")).toList();
        }
        Map<String, double[]> tensors = new HashMap<>();
        for (Path file : files) {
            ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
            int headerBytes = (int) bytes.getLong();
            byte[] header = new byte[headerBytes];
            bytes.get(header);
            JsonNode root = new ObjectMapper().readTree(new String(header, StandardCharsets.UTF_8));
            for (Map.Entry<String, JsonNode> entry : root.properties()) {
                if (!entry.getKey().equals("__metadata__")) {
                    tensors.put(entry.getKey(), values(bytes, 8 + headerBytes, entry.getValue()));
                }
            }
        }
        return tensors;
    }

    private static double[] values(ByteBuffer bytes, int data, JsonNode entry) {
        int begin = data + entry.get("data_offsets").get(0).asInt();
        int length = entry.get("data_offsets").get(1).asInt() + data - begin;
        String type = entry.get("dtype").asText();
        int size = type.equals("F32") ? 4 : 2;
        double[] values = new double[length / size];
        for (int i = 0; i < values.length; i++) {
            int at = begin + i * size;
            values[i] = switch (type) {
                case "F32" -> bytes.getFloat(at);
                case "F16" -> Float.float16ToFloat(bytes.getShort(at));
                case "BF16" -> Float.intBitsToFloat(bytes.getShort(at) << 16);
                default -> throw new IllegalArgumentException(type);
            };
        }
        return values;
    }
}

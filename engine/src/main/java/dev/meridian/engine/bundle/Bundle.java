package dev.meridian.engine.bundle;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Collectors;

/** A bundle on disk: its folder and the manifest read from it. Immutable, safe for any thread. */
public record Bundle(Path folder, BundleManifest manifest) {
    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(SerializationFeature.INDENT_OUTPUT)
            .build();
    private static final int MAX_MANIFEST_BYTES = 1 << 20;

    /** The model's id: the folder's own name. */
    public String id() {
        return folder.getFileName().toString();
    }

    public Path file(String name) {
        return folder.resolve(name);
    }

    /** Reads {@code bundle.json}. Throws {@link BundleException} where it is missing, unreadable or of another format. */
    public static Bundle open(Path folder) {
        Path absolute = folder.toAbsolutePath().normalize();
        Path manifestFile = absolute.resolve(BundleManifest.FILE_NAME);
        try {
            if (!Files.isRegularFile(manifestFile)) {
                throw new BundleException(manifestFile + ": no such file; this folder is not a bundle");
            }
            JsonNode json = JSON.readTree(bounded(manifestFile));
            // Asked first: of another format nothing else may be expected.
            if (json.path("format").asInt() != BundleManifest.FORMAT) {
                throw new BundleException(manifestFile + ": format " + json.path("format") + ", this version reads "
                        + BundleManifest.FORMAT + "; import the model again");
            }
            JsonNode packing = json.path("packing");
            if (!packing.isMissingNode()
                    && !packing.isNull()
                    && !packing.asText().equals(Panels.NAME)) {
                throw new BundleException(manifestFile + ": packing " + FileNames.shown(packing.asText())
                        + ", this version reads " + Panels.NAME
                        + "; make the bundle again with ./meridian import <source> --out <bundle>");
            }
            return new Bundle(absolute, JSON.treeToValue(json, BundleManifest.class));
        } catch (JsonProcessingException e) {
            throw new BundleException(manifestFile + ": " + fault(e), e);
        } catch (AccessDeniedException e) {
            throw new BundleException(manifestFile + ": permission denied", e);
        } catch (IOException e) {
            throw new BundleException(manifestFile + ": " + e, e);
        }
    }

    /** Bounded as it is read: what a file says of its size before that may have changed. */
    private static byte[] bounded(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(MAX_MANIFEST_BYTES + 1);
            if (bytes.length > MAX_MANIFEST_BYTES) {
                throw new BundleException(file + ": larger than " + MAX_MANIFEST_BYTES + " bytes");
            }
            return bytes;
        }
    }

    /** Where in the manifest, and what is wrong there: {@code shape: headDim is 0, expected at least 1}. */
    private static String fault(JsonProcessingException failure) {
        String message = failure.getCause() instanceof IllegalArgumentException check
                ? String.valueOf(check.getMessage())
                : failure.getOriginalMessage().replaceAll(" \\(set Deserialization.*", "");
        String where = failure instanceof JsonMappingException mapping
                ? mapping.getPath().stream()
                        .map(step -> step.getFieldName() == null ? "[" + step.getIndex() + "]" : step.getFieldName())
                        .collect(Collectors.joining("."))
                : "";
        return where.isEmpty() ? message : where + ": " + message;
    }

    /** The bytes of {@code bundle.json} for a manifest: the same for the same manifest, always. */
    public static byte[] manifestBytes(BundleManifest manifest) {
        try {
            return (JSON.writeValueAsString(manifest) + "\n").getBytes(java.nio.charset.StandardCharsets.UTF_8);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a manifest is always writable", e);
        }
    }

    /** Makes every check anew and reads every file; returns one line per fault, {@code file: what}. */
    public List<String> verify() {
        return BundleCheck.run(this, VerifiedFiles.none()).faults().stream()
                .map(BundleCheck.Fault::toString)
                .toList();
    }

    /** SHA-256 of a file's content in hexadecimal. */
    public static String sha256(Path file) throws IOException {
        MessageDigest digest = newSha256();
        byte[] buffer = new byte[1 << 16];
        try (InputStream in = Files.newInputStream(file)) {
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                digest.update(buffer, 0, n);
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    /** A fresh SHA-256, which every Java platform has. */
    public static MessageDigest newSha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}

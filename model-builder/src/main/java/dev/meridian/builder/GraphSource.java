package dev.meridian.builder;

import com.fasterxml.jackson.databind.JsonNode;
import dev.meridian.builder.source.ImportException;
import dev.meridian.builder.source.JsonFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;

/**
 * What the small files beside a ready-made graph say of it: Hugging Face's config.json, or onnxruntime-genai's
 * genai_config.json, whose decoder section also names the graph's inputs and outputs.
 *
 * @param described where a dimension may stand, the first that has it counts
 * @param sampling the model's own generation settings
 */
record GraphSource(
        Path configFile, Path graphFile, GraphNames names, List<JsonNode> described, JsonNode sampling, String family) {
    static final String GENAI_CONFIG = "genai_config.json";
    private static final String CONFIG = "config.json";
    private static final int MAX_DIMENSION = 1 << 24;

    static GraphSource read(ImportRequest request) throws ImportException, IOException {
        Path genai = request.source().resolve(GENAI_CONFIG);
        return Files.exists(genai) ? genai(genai, request) : huggingFace(request);
    }

    private static GraphSource huggingFace(ImportRequest request) throws ImportException, IOException {
        Path file = request.source().resolve(CONFIG);
        JsonNode config = JsonFiles.object(file);
        if (config.path("is_encoder_decoder").asBoolean(false)) {
            throw new ImportException(
                    file + ": an encoder and a decoder (is_encoder_decoder); only decoders of text" + " are imported");
        }
        return new GraphSource(
                file,
                GraphChoice.choose(request.source(), request.onnx()),
                GraphNames.huggingFace(),
                List.of(config),
                JsonFiles.objectIfPresent(request.source().resolve(SourceFacts.GENERATION_CONFIG)),
                config.path("model_type").asText("unknown"));
    }

    private static GraphSource genai(Path file, ImportRequest request) throws ImportException, IOException {
        JsonNode root = JsonFiles.object(file);
        JsonNode model = root.path("model");
        JsonNode decoder = model.path("decoder");
        String type = model.path("type").asText("unknown");
        refuseOtherModels(file, model, type);
        refuseOtherProviders(file, decoder);
        String name = decoder.path("filename").asText("");
        if (name.isEmpty()) {
            throw new ImportException(file + ": model.decoder has no filename");
        }
        return new GraphSource(
                file,
                GraphChoice.choose(request.source(), request.onnx() == null ? name : request.onnx()),
                GraphNames.genai(decoder.path("inputs"), decoder.path("outputs")),
                List.of(decoder, model),
                root.path("search"),
                type);
    }

    private static void refuseOtherModels(Path file, JsonNode model, String type) throws ImportException {
        String who = file + ": a model of type '" + type + "' ";
        if (model.has("encoder")) {
            throw new ImportException(who + "has an encoder; only decoders of text are imported");
        }
        Set<String> others = new TreeSet<>(Set.of("embedding", "vision", "speech"));
        others.removeIf(section -> !model.has(section));
        if (!others.isEmpty()) {
            throw new ImportException(who + "is made of several graphs (" + String.join(", ", others)
                    + " besides the decoder); only one decoder of text is imported");
        }
        if (model.path("decoder").has("pipeline")) {
            throw new ImportException(who + "has a decoder that is a pipeline of several graphs; only one is imported");
        }
        if (model.path("decoder").has("sliding_window")) {
            throw new ImportException(who + "feeds its decoder in windows (sliding_window), which is not supported");
        }
    }

    /** Graphs for other providers may hold operators and layouts that the CPU provider lacks. */
    private static void refuseOtherProviders(Path file, JsonNode decoder) throws ImportException {
        for (JsonNode option : decoder.path("session_options").path("provider_options")) {
            for (Map.Entry<String, JsonNode> provider : option.properties()) {
                if (!provider.getKey().equalsIgnoreCase("cpu")) {
                    throw new ImportException(file + ": made for the execution provider '" + provider.getKey()
                            + "'; Meridian runs graphs on the CPU provider, take the model's CPU export");
                }
            }
        }
    }

    /** The first of the keys that is there; refused where it is no whole number that a dimension can be. */
    OptionalInt dimension(String... keys) throws ImportException {
        for (String key : keys) {
            Optional<JsonNode> value =
                    described.stream().filter(node -> node.hasNonNull(key)).findFirst();
            if (value.isPresent()) {
                JsonNode number = value.get().path(key);
                if (!number.canConvertToInt() || number.asInt() < 1 || number.asInt() > MAX_DIMENSION) {
                    throw new ImportException(configFile + ": " + key + " " + number
                            + " is not a whole number from 1 to " + MAX_DIMENSION);
                }
                return OptionalInt.of(number.asInt());
            }
        }
        return OptionalInt.empty();
    }

    /** Refuses where none of the keys is there. */
    int required(String... keys) throws ImportException {
        return dimension(keys).orElseThrow(() -> new ImportException(configFile + ": " + keys[0] + " is missing"));
    }

    /** The section that names the end tokens. */
    JsonNode tokens() {
        return described.getLast();
    }
}

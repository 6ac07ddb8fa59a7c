package dev.meridian.builder;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.meridian.builder.source.ImportException;
import dev.meridian.builder.source.JsonFiles;
import dev.meridian.engine.bundle.BundleManifest.SamplingDefaults;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What the small files of a model folder say about serving it.
 *
 * @param bosTokenId null where there is none
 * @param eosTokenIds those of generation_config.json, else of config.json, and tokenizer_config.json's {@code
 * eos_token}
 */
record SourceFacts(
        String name,
        @Nullable Integer bosTokenId,
        List<Integer> eosTokenIds,
        SamplingDefaults defaults,
        Optional<Template> template) {
    static final String TOKENIZER = "tokenizer.json";
    static final String TOKENIZER_CONFIG = "tokenizer_config.json";
    static final String GENERATION_CONFIG = "generation_config.json";
    static final String CHAT_TEMPLATE = "chat_template.jinja";
    private static final long MAX_TEMPLATE_BYTES = 1 << 20;

    /** A chat template and the file that it stands in. */
    record Template(String origin, String text) {}

    static SourceFacts read(Path folder, int vocabSize) throws ImportException, IOException {
        JsonNode config = JsonFiles.object(folder.resolve("config.json"));
        return read(folder, config, JsonFiles.objectIfPresent(folder.resolve(GENERATION_CONFIG)), vocabSize);
    }

    /** The same with what stands in for config.json and generation_config.json. */
    static SourceFacts read(Path folder, JsonNode config, JsonNode generation, int vocabSize)
            throws ImportException, IOException {
        JsonNode tokenizer = JsonFiles.objectIfPresent(folder.resolve(TOKENIZER_CONFIG));
        Map<String, Integer> added = addedTokens(folder.resolve(TOKENIZER));
        Set<Integer> eos = new LinkedHashSet<>();
        addIds(
                eos,
                generation.hasNonNull("eos_token_id") ? generation.path("eos_token_id") : config.path("eos_token_id"));
        addNamed(eos, tokenizer.path("eos_token"), added);
        eos.removeIf(id -> id < 0 || id >= vocabSize);
        return new SourceFacts(
                name(folder, config),
                bos(config, generation, tokenizer, vocabSize),
                List.copyOf(eos),
                defaults(folder.resolve(GENERATION_CONFIG), generation),
                template(folder, tokenizer));
    }

    /** Its own name unless that is a path on somebody's machine; else the folder's. */
    private static String name(Path folder, JsonNode config) {
        String own = config.path("_name_or_path").asText("");
        if (own.matches("[A-Za-z0-9][\\w.-]*(/[\\w.-]+)?")) {
            return own;
        }
        Path last = folder.toAbsolutePath().normalize().getFileName();
        return last == null ? "model" : last.toString();
    }

    /** A tokenizer that says {@code "bos_token": null} overrules the ids, which such models often still carry. */
    private static @Nullable Integer bos(JsonNode config, JsonNode generation, JsonNode tokenizer, int vocabSize) {
        JsonNode id =
                generation.hasNonNull("bos_token_id") ? generation.path("bos_token_id") : config.path("bos_token_id");
        boolean denied =
                tokenizer.has("bos_token") && tokenizer.path("bos_token").isNull();
        boolean usable = id.isInt() && id.asInt() >= 0 && id.asInt() < vocabSize;
        return usable && !denied ? id.asInt() : null;
    }

    private static void addIds(Set<Integer> into, JsonNode ids) {
        if (ids.isInt()) {
            into.add(ids.asInt());
        }
        for (JsonNode id : ids) {
            addIds(into, id);
        }
    }

    private static void addNamed(Set<Integer> into, JsonNode token, Map<String, Integer> added) {
        Integer id = added.get(token.isObject() ? token.path("content").asText() : token.asText());
        if (id != null) {
            into.add(id);
        }
    }

    private static SamplingDefaults defaults(Path file, JsonNode generation) throws ImportException {
        try {
            return defaults(generation);
        } catch (IllegalArgumentException e) {
            throw new ImportException(file + ": " + e.getMessage(), e);
        }
    }

    private static SamplingDefaults defaults(JsonNode generation) {
        boolean greedy = generation.path("do_sample").isBoolean()
                && !generation.path("do_sample").asBoolean();
        JsonNode topK = generation.path("top_k");
        return new SamplingDefaults(
                // Its authors said greedy: the other filters are leftovers then, as Hugging Face warns.
                greedy ? Float.valueOf(0f) : number(generation, "temperature"),
                topK.isInt() && !greedy ? Integer.valueOf(topK.asInt()) : null,
                greedy ? null : number(generation, "top_p"),
                greedy ? null : number(generation, "min_p"),
                number(generation, "repetition_penalty"));
    }

    private static @Nullable Float number(JsonNode node, String key) {
        return node.path(key).isNumber() ? Float.valueOf((float) node.path(key).asDouble()) : null;
    }

    private static Optional<Template> template(Path folder, JsonNode tokenizer) throws ImportException, IOException {
        Path file = folder.resolve(CHAT_TEMPLATE);
        if (Files.exists(file)) {
            if (Files.size(file) > MAX_TEMPLATE_BYTES) {
                throw new ImportException(file + ": larger than " + MAX_TEMPLATE_BYTES + " bytes");
            }
            return Optional.of(new Template(file.toString(), Files.readString(file)));
        }
        JsonNode template = tokenizer.path("chat_template");
        for (JsonNode named : template) {
            if (named.path("name").asText().equals("default")) {
                template = named.path("template");
                break;
            }
        }
        String origin = folder.resolve(TOKENIZER_CONFIG).toString();
        return template.isTextual() ? Optional.of(new Template(origin, template.asText())) : Optional.empty();
    }

    /** Text and id of the entries of {@code added_tokens}; the vocabulary, which can be large, is passed over. */
    private static Map<String, Integer> addedTokens(Path file) throws ImportException, IOException {
        if (!Files.isRegularFile(file)) {
            throw new ImportException(
                    file + ": no such file; a tokenizer is needed (sentencepiece's tokenizer.model alone"
                            + " is not supported)");
        }
        Map<String, Integer> tokens = new LinkedHashMap<>();
        ObjectMapper mapper = new ObjectMapper();
        try (JsonParser parser = new JsonFactory(mapper).createParser(file.toFile())) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                throw new ImportException(file + ": not a JSON object");
            }
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                boolean wanted = "added_tokens".equals(parser.currentName());
                parser.nextToken();
                if (wanted) {
                    JsonNode added = mapper.readTree(parser);
                    added.forEach(t ->
                            tokens.put(t.path("content").asText(), t.path("id").asInt(-1)));
                } else {
                    parser.skipChildren();
                }
            }
        } catch (JsonProcessingException e) {
            throw new ImportException(file + ": not valid JSON: " + e.getOriginalMessage(), e);
        }
        return tokens;
    }
}

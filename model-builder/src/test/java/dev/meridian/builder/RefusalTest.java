package dev.meridian.builder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.meridian.builder.quant.Weights;
import dev.meridian.builder.source.ImportException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What cannot be imported is refused by name, and leaves nothing behind. */
class RefusalTest {
    @TempDir
    Path folder;

    static List<Arguments> configs() {
        return List.of(
                Arguments.of(HfFolder.of("gpt2"), "model_type 'gpt2'"),
                Arguments.of(HfFolder.of("mixtral"), "model_type 'mixtral'"),
                Arguments.of(HfFolder.of("llama").without("model_type"), "model_type ''"),
                Arguments.of(
                        HfFolder.of("llama").with("architectures", "[\"LlamaForSequenceClassification\"]"),
                        "LlamaForSequenceClassification"),
                Arguments.of(HfFolder.of("llama").with("num_local_experts", "8"), "num_local_experts"),
                Arguments.of(HfFolder.of("qwen2").with("quantization_config", "{\"bits\": 4}"), "quantization_config"),
                Arguments.of(HfFolder.of("llama").with("hidden_act", "\"gelu\""), "hidden_act 'gelu'"),
                Arguments.of(HfFolder.of("mistral").with("sliding_window", "32"), "sliding_window 32 is active"),
                Arguments.of(
                        HfFolder.of("qwen2").with("sliding_window", "32").with("use_sliding_window", "true"),
                        "sliding_window 32 is active"),
                Arguments.of(
                        HfFolder.of("qwen3").with("layer_types", "[\"full_attention\", \"sliding_attention\"]"),
                        "sliding_attention"),
                Arguments.of(
                        HfFolder.of("llama").with("rope_scaling", "{\"type\": \"dynamic\", \"factor\": 2}"),
                        "rope_scaling type 'dynamic'"),
                Arguments.of(
                        HfFolder.of("qwen3").with("rope_scaling", "{\"rope_type\": \"yarn\", \"factor\": 2}"),
                        "rope_scaling type 'yarn'"),
                Arguments.of(
                        HfFolder.of("llama").with("rope_parameters", "{\"rope_type\": \"longrope\"}"),
                        "rope_scaling type 'longrope'"),
                Arguments.of(
                        HfFolder.of("llama").with("rope_parameters", "{\"full_attention\": {}}"), "per layer type"),
                Arguments.of(HfFolder.of("llama").with("rope_scaling", "{\"type\": \"linear\"}"), "factor is missing"),
                Arguments.of(
                        HfFolder.of("llama").with("rope_scaling", "{\"type\": \"linear\", \"factor\": -1}"),
                        "factor -1"),
                Arguments.of(HfFolder.of("llama").with("partial_rotary_factor", "0.5"), "partial_rotary_factor 0.5"),
                Arguments.of(HfFolder.of("llama").with("head_dim", "24"), "head_dim 24"),
                Arguments.of(
                        HfFolder.of("llama").with("num_key_value_heads", "3"), "multiple of num_key_value_heads 3"),
                Arguments.of(HfFolder.of("llama").with("vocab_size", "0"), "vocab_size 0"),
                Arguments.of(HfFolder.of("llama").with("vocab_size", "1.5"), "vocab_size 1.5"),
                Arguments.of(
                        HfFolder.of("llama").with("max_position_embeddings", "99999999999"),
                        "max_position_embeddings 99999999999"),
                Arguments.of(HfFolder.of("llama").with("attention_bias", "1"), "attention_bias 1"));
    }

    @ParameterizedTest
    @MethodSource("configs")
    void configurationsAreRefusedByName(HfFolder model, String named) throws IOException {
        refused(model.write(folder.resolve("source"), 1), "config.json", named);
    }

    @ParameterizedTest
    @CsvSource({
        "hidden_size",
        "num_hidden_layers",
        "num_attention_heads",
        "intermediate_size",
        "vocab_size",
        "max_position_embeddings"
    })
    void missingDimensionsAreRefusedByName(String key) throws IOException {
        Path source = HfFolder.of("llama").write(folder.resolve("source"), 1);
        var mapper = new com.fasterxml.jackson.databind.ObjectMapper();
        var config = (com.fasterxml.jackson.databind.node.ObjectNode)
                mapper.readTree(source.resolve("config.json").toFile());
        config.remove(key);
        mapper.writeValue(source.resolve("config.json").toFile(), config);
        refused(source, "config.json", key + " is missing");
    }

    @Test
    void tensorsThatConfigDoesNotCallForAreRefused() throws IOException {
        Path source = HfFolder.of("llama").with("attention_bias", "true").write(folder.resolve("source"), 1);
        edit(source, "\"attention_bias\":true", "\"attention_bias\":false");
        refused(source, "model.layers.0.self_attn.k_proj.bias", "no place");
    }

    @Test
    void missingTensorsAreRefused() throws IOException {
        Path source = HfFolder.of("llama").write(folder.resolve("source"), 1);
        edit(source, "\"num_hidden_layers\":2", "\"num_hidden_layers\":3");
        refused(source, "model.layers.2.input_layernorm.weight", "is missing");
    }

    @Test
    void shapesThatDisagreeWithConfigAreRefused() throws IOException {
        Path source = HfFolder.of("llama").write(folder.resolve("source"), 1);
        edit(source, "\"intermediate_size\":80", "\"intermediate_size\":96");
        refused(source, "model.layers.0.mlp.gate_proj.weight", "[80, 64]", "[96, 64]");
    }

    @Test
    void valuesThatAreNotFiniteAreRefused() throws IOException {
        Path source = HfFolder.of("llama").write(folder.resolve("source"), 1);
        Path weights = source.resolve("model.safetensors");
        byte[] bytes = Files.readAllBytes(weights);
        bytes[bytes.length - 1] = 0x7f;
        bytes[bytes.length - 2] = (byte) 0xc0;
        Files.write(weights, bytes);
        refused(source, "model.norm.weight", "not finite");
    }

    @Test
    void foldersWithoutWhatIsNeededAreRefused() throws IOException {
        refused(folder.resolve("nowhere"), "nowhere", "no such folder");
        Path source = HfFolder.of("llama").write(folder.resolve("source"), 1);
        Files.move(source.resolve("tokenizer.json"), source.resolve("x"));
        refused(source, "tokenizer.json", "no such file");
        Files.move(source.resolve("x"), source.resolve("tokenizer.json"));
        Files.delete(source.resolve("model.safetensors"));
        refused(source, "model.safetensors", "model.safetensors.index.json");
        Files.delete(source.resolve("config.json"));
        refused(source, "config.json", "no such file");
    }

    @Test
    void namesThatNoModelCanHaveAreRefused() throws IOException {
        Path source = HfFolder.of("llama").write(folder.resolve("source"), 1);
        for (String name : List.of(".hidden", "two words", "-x", "a:b")) {
            assertThatThrownBy(() -> TestBundles.imported(source, folder.resolve(name), Weights.F32))
                    .isInstanceOf(ImportException.class)
                    .hasMessageContaining("model's id");
        }
    }

    @Test
    void anExistingFolderIsNotTouched() throws IOException {
        Path source = HfFolder.of("llama").write(folder.resolve("source"), 1);
        Path out = Files.createDirectory(folder.resolve("bundle"));
        assertThatThrownBy(() -> TestBundles.imported(source, out, Weights.F32))
                .isInstanceOf(ImportException.class)
                .hasMessageContaining(out.toString())
                .hasMessageContaining("exists already");
        assertThat(out).isEmptyDirectory();
    }

    @Test
    void templatesThatCannotRunAreRefusedByLine() throws IOException {
        Path source = HfFolder.of("llama").write(folder.resolve("source"), 1);
        Files.writeString(
                source.resolve("tokenizer_config.json"),
                "{\"chat_template\": [{\"name\": \"default\", \"template\": \"{{ 1 }}\\n{% extends 'x' %}\"}]}");
        refused(source, "tokenizer_config.json: chat template, line 2: ");
        Files.writeString(source.resolve("chat_template.jinja"), "{% if %}");
        refused(source, "chat_template.jinja: chat template, line 1: ");
        Files.writeString(source.resolve("chat_template.jinja"), "{{ messages }}");
        assertThatCode(() -> TestBundles.imported(source, folder.resolve("bundle"), Weights.F32))
                .as("the file overrules tokenizer_config.json")
                .doesNotThrowAnyException();
    }

    @Test
    void templatesPassThroughTheGivenCheck() throws IOException {
        Path source = HfFolder.of("llama").write(folder.resolve("source"), 1);
        Files.writeString(source.resolve("tokenizer_config.json"), "{\"chat_template\": \"{{ boom }}\"}");
        var importer = new Importer((origin, template) -> {
            throw new ImportException(origin + " has " + template);
        });
        assertThatThrownBy(() -> importer.run(
                        new ImportRequest(source, folder.resolve("bundle"), Weights.F32, KvType.F32),
                        ProgressListener.none()))
                .isInstanceOf(ImportException.class)
                .hasMessageEndingWith("tokenizer_config.json has {{ boom }}");
    }

    private void refused(Path source, String... parts) throws IOException {
        assertThatThrownBy(() -> TestBundles.imported(source, folder.resolve("out/bundle"), Weights.INT8))
                .isInstanceOf(ImportException.class)
                .hasMessageContainingAll(parts);
        assertThat(folder.resolve("out")).doesNotExist();
    }

    private static void edit(Path source, String from, String to) throws IOException {
        Path config = source.resolve("config.json");
        String text = Files.readString(config);
        assertThat(text).contains(from);
        Files.writeString(config, text.replace(from, to));
    }
}

package dev.meridian.builder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.meridian.builder.graph.TinyDecoder;
import dev.meridian.builder.graph.TinyDecoder.Form;
import dev.meridian.builder.quant.Weights;
import dev.meridian.builder.source.ImportException;
import dev.meridian.engine.ModelRunner;
import dev.meridian.engine.bundle.Bundle;
import dev.meridian.engine.bundle.BundleManifest;
import dev.meridian.engine.bundle.BundleManifest.ModelShape;
import dev.meridian.engine.bundle.CheckedBundle;
import dev.meridian.engine.bundle.VerifiedFiles;
import dev.meridian.engine.onnx.GraphRunners;
import dev.meridian.engine.onnx.RunnerSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Ready-made graphs become bundles that run, or are refused by name. */
class GraphImportTest {
    private static final int VOCAB = 300;

    @TempDir
    Path folder;

    private Path source = Path.of("");

    @BeforeEach
    void write() throws IOException {
        source = Files.createDirectories(folder.resolve("source"));
        ByteTokenizer.write(source.resolve("tokenizer.json"), VOCAB);
        Files.writeString(source.resolve("config.json"), """
                {"model_type": "tiny", "num_attention_heads": 2, "hidden_size": 8, "vocab_size": 300,
                 "max_position_embeddings": 64, "eos_token_id": 7}""");
    }

    private Bundle imported(@Nullable String onnx) throws ImportException {
        new Importer()
                .run(
                        new ImportRequest(source, folder.resolve("out"), Weights.INT8, KvType.F32, onnx),
                        ProgressListener.none());
        return Bundle.open(folder.resolve("out"));
    }

    private static TinyDecoder decoder(Form form) {
        return new TinyDecoder(form, VOCAB, 3);
    }

    private static void assertRuns(Bundle bundle, TinyDecoder decoder) {
        try (ModelRunner runner =
                GraphRunners.open(CheckedBundle.of(bundle, VerifiedFiles.none()), new RunnerSettings(1, 64, 16, 1))) {
            int[] tokens = {5, 80, 12, 299};
            runner.prefill(0, 0, tokens, 0, 4, true);
            float[] logits = new float[VOCAB];
            runner.logits(0, logits);
            assertThat(TestBundles.difference(new float[][] {logits}, List.of(decoder.logits(tokens))))
                    .isLessThan(1e-2);
        }
    }

    @Test
    void aHuggingFaceExportIsCopiedWithItsDataAndRuns() throws Exception {
        decoder(Form.PLAIN).write(source.resolve("onnx"), "model.onnx");
        Files.writeString(source.resolve("generation_config.json"), "{\"temperature\": 0.7, \"eos_token_id\": [7, 9]}");
        Bundle bundle = imported(null);
        BundleManifest manifest = bundle.manifest();
        assertThat(bundle.verify()).isEmpty();
        assertThat(manifest.shape()).isEqualTo(new ModelShape(2, 8, 32, 2, 2, 4, VOCAB, 64));
        assertThat(manifest.files()).containsKeys("model.onnx", "model.onnx_data", "tokenizer.json");
        assertThat(manifest.weights()).isEqualTo("f32");
        assertThat(manifest.kv()).isEqualTo("f32");
        assertThat(manifest.eosTokenIds()).containsExactly(7, 9);
        assertThat(manifest.defaults().temperature()).isEqualTo(0.7f);
        assertRuns(bundle, decoder(Form.PLAIN));
    }

    @Test
    void theSameFolderGivesTheSameManifest() throws Exception {
        decoder(Form.PLAIN).write(source, "model.onnx");
        byte[] first = Bundle.manifestBytes(imported(null).manifest());
        new Importer()
                .run(
                        new ImportRequest(source, folder.resolve("again"), Weights.F32, KvType.F32),
                        ProgressListener.none());
        assertThat(Bundle.manifestBytes(Bundle.open(folder.resolve("again")).manifest()))
                .isEqualTo(first);
    }

    @Test
    void onePrecisionOfSeveralIsChosenByName() throws Exception {
        Form half = new Form(true, true, true, true, false, false, false);
        decoder(Form.PLAIN).write(source.resolve("onnx"), "model_q4.onnx");
        decoder(half).write(source.resolve("onnx"), "model_fp16.onnx");
        assertThatThrownBy(() -> imported(null))
                .hasMessageContaining("choose one with --onnx; there are onnx/model_fp16.onnx, onnx/model_q4.onnx");
        assertThatThrownBy(() -> imported("model_int8.onnx"))
                .hasMessageContaining("no ONNX file 'model_int8.onnx'; there are onnx/model_fp16.onnx");
        Bundle bundle = imported("model_fp16.onnx");
        assertThat(bundle.manifest().kv()).isEqualTo("f16");
        assertRuns(bundle, decoder(half));
    }

    @Test
    void weightsComeBeforeAGraphThatIsNotAskedFor() throws Exception {
        HfFolder.of("llama").write(source, 1);
        decoder(Form.PLAIN).write(source, "model.onnx");
        assertThat(imported(null).manifest().graph()).isNull();
    }

    @Test
    void aGenaiFolderNamesItsInputsAndDefaults() throws Exception {
        Files.delete(source.resolve("config.json"));
        Form form = new Form(false, true, true, false, false, false, true);
        decoder(form).write(source, "decoder.onnx");
        genai("\"filename\": \"decoder.onnx\", \"inputs\": {\"past_names\": \"past_key_values.%d\"},"
                + " \"outputs\": {\"present_names\": \"present.%d\"}");
        Bundle bundle = imported(null);
        assertThat(Objects.requireNonNull(bundle.manifest().graph()).past())
                .containsExactly("past_key_values.0", "past_key_values.1");
        assertThat(bundle.manifest().shape().contextTokens()).isEqualTo(48);
        assertThat(bundle.manifest().bosTokenId()).isEqualTo(1);
        assertThat(bundle.manifest().eosTokenIds()).containsExactly(7, 8);
        assertThat(bundle.manifest().defaults().topK()).isEqualTo(40);
        assertRuns(bundle, decoder(form));
    }

    private void genai(String decoder) throws IOException {
        Files.writeString(source.resolve("genai_config.json"), """
                {"model": {"type": "tiny", "bos_token_id": 1, "eos_token_id": [7, 8], "context_length": 48,
                  "vocab_size": 300, "decoder": {"num_attention_heads": 2, "head_size": 4, %s}},
                 "search": {"do_sample": true, "top_k": 40}}""".formatted(decoder));
    }

    @Test
    void aGraphForAnotherProviderIsRefused() throws Exception {
        genai("\"filename\": \"decoder.onnx\", \"session_options\": {\"provider_options\": [{\"cuda\": {}}]}");
        assertThatThrownBy(() -> imported(null)).hasMessageContaining("made for the execution provider 'cuda'");
        assertThat(folder.resolve("out")).doesNotExist();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            use_cache_branch      | takes 'use_cache_branch': a merged decoder
            inputs_embeds         | takes 'inputs_embeds': it reads embeddings
            encoder_hidden_states | takes 'encoder_hidden_states': a decoder that needs an encoder
            num_logits_to_keep    | takes 'num_logits_to_keep': a choice of rows
            token_type_ids        | takes [token_type_ids], which nobody gives it
            """)
    void aGraphThatTakesMoreIsRefusedByTheInputsName(String input, String expected) throws Exception {
        decoder(Form.PLAIN).taking(input).write(source, "model.onnx");
        assertThatThrownBy(() -> imported(null))
                .isInstanceOf(ImportException.class)
                .hasMessageContaining(expected);
        assertThat(folder.resolve("out")).doesNotExist();
    }

    @Test
    void aGraphWithoutCachesIsRefused() throws Exception {
        genai("\"filename\": \"decoder.onnx\", \"inputs\": {\"past_names\": \"old_%d\"}");
        decoder(Form.PLAIN).write(source, "decoder.onnx");
        assertThatThrownBy(() -> imported(null)).hasMessageContaining("past_key_values.0.key");
        assertThat(folder.resolve("out")).doesNotExist();
    }

    @Test
    void missingDataAreNamed() throws Exception {
        decoder(Form.PLAIN).write(source, "model.onnx");
        Files.delete(source.resolve("model.onnx_data"));
        assertThatThrownBy(() -> imported(null)).hasMessageContaining("model.onnx_data");
        assertThat(folder.resolve("out")).doesNotExist();
    }

    @Test
    void dataBehindALinkAreRefused() throws Exception {
        decoder(Form.PLAIN).write(source, "model.onnx");
        Files.move(source.resolve("model.onnx_data"), folder.resolve("elsewhere"));
        Files.createSymbolicLink(source.resolve("model.onnx_data"), folder.resolve("elsewhere"));
        assertThatThrownBy(() -> imported(null)).hasMessageContaining("model.onnx_data: a symbolic link");
        assertThat(folder.resolve("out")).doesNotExist();
    }
}

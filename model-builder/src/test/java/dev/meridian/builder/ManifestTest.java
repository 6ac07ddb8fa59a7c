package dev.meridian.builder;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.builder.quant.Weights;
import dev.meridian.engine.bundle.Bundle;
import dev.meridian.engine.bundle.BundleManifest;
import dev.meridian.engine.bundle.BundleManifest.SamplingDefaults;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ManifestTest {
    @TempDir
    Path folder;

    @Test
    void saysWhatTheSourceSays() throws Exception {
        Path source =
                HfFolder.of("qwen2").with("_name_or_path", "\"org/Small-1\"").write(folder.resolve("source"), 3);
        Files.writeString(source.resolve("generation_config.json"), """
                {"eos_token_id": [7, 2], "bos_token_id": 5, "do_sample": true, "temperature": 0.7, "top_k": 20,
                 "top_p": 0.8, "repetition_penalty": 1.1}""");
        Files.writeString(source.resolve("tokenizer_config.json"), "{\"eos_token\": {\"content\": \"<|im_end|>\"}}");
        Files.writeString(
                source.resolve("tokenizer.json"),
                "{\"model\": {\"vocab\": {\"a\": 0}}, \"added_tokens\": [{\"id\": 90, \"content\": \"<|im_end|>\"}]}");
        Files.writeString(source.resolve("README.md"), "---\nlanguage: en\nlicense: \"apache-2.0\"\n---\n# Small\n");
        Files.writeString(source.resolve("LICENSE"), "\n  Apache License\n");
        Files.writeString(source.resolve("chat_template.jinja"), "{{ messages }}");
        Bundle bundle = TestBundles.imported(source, folder.resolve("bundle"), Weights.INT4);
        BundleManifest manifest = bundle.manifest();
        assertThat(manifest.name()).isEqualTo("org/Small-1");
        assertThat(manifest.family()).isEqualTo("qwen2");
        assertThat(manifest.weights()).isEqualTo("int4");
        assertThat(manifest.kv()).isEqualTo("f32");
        assertThat(manifest.shape()).isEqualTo(new BundleManifest.ModelShape(2, 64, 80, 4, 2, 16, 97, 64));
        assertThat(manifest.bosTokenId()).isEqualTo(5);
        assertThat(manifest.eosTokenIds()).containsExactly(7, 2, 90);
        assertThat(manifest.defaults()).isEqualTo(new SamplingDefaults(0.7f, 20, 0.8f, null, 1.1f));
        assertThat(manifest.license()).isEqualTo("apache-2.0");
        assertThat(manifest.memory().kvBytesPerToken()).isEqualTo(2 * 2 * 2 * 16 * 4);
        assertThat(manifest.files())
                .containsOnlyKeys(
                        "LICENSE",
                        "chat_template.jinja",
                        "generation_config.json",
                        "kernels.onnx",
                        "model.onnx",
                        "model.onnx.data",
                        "tokenizer.json",
                        "tokenizer_config.json");
    }

    @Test
    void silentSourcesGetNeutralValues() throws Exception {
        Path source = HfFolder.of("llama").write(folder.resolve("source"), 3);
        Files.writeString(source.resolve("generation_config.json"), "{\"pad_token_id\": 0}");
        Files.writeString(source.resolve("tokenizer_config.json"), "{\"bos_token\": null}");
        BundleManifest manifest = TestBundles.imported(source, folder.resolve("bundle"), Weights.F32)
                .manifest();
        assertThat(manifest.name()).isEqualTo("source");
        assertThat(manifest.bosTokenId()).isNull();
        assertThat(manifest.eosTokenIds()).containsExactly(2);
        assertThat(manifest.defaults()).isEqualTo(SamplingDefaults.none());
        assertThat(manifest.license()).isEqualTo("unknown");
    }

    @Test
    void aModelMadeForGreedyDecodingIsGreedyByDefault() throws Exception {
        Path source = HfFolder.of("llama").write(folder.resolve("source"), 3);
        Files.writeString(
                source.resolve("generation_config.json"),
                "{\"do_sample\": false, \"temperature\": 0.6, \"top_p\": 0.9, \"repetition_penalty\": 1.1}");
        assertThat(TestBundles.imported(source, folder.resolve("bundle"), Weights.F32)
                        .manifest()
                        .defaults())
                .isEqualTo(new SamplingDefaults(0f, null, null, null, 1.1f));
    }

    @Test
    void sourceDigestFollowsTheSource() throws Exception {
        Path one = HfFolder.of("llama").write(folder.resolve("one/source"), 3);
        Path two = HfFolder.of("llama").write(folder.resolve("two/source"), 4);
        assertThat(digest(one, "a", Weights.F32)).isEqualTo(digest(one, "b", Weights.INT8));
        assertThat(digest(two, "c", Weights.F32)).isNotEqualTo(digest(one, "d", Weights.F32));
    }

    private String digest(Path source, String name, Weights weights) throws Exception {
        return TestBundles.imported(source, folder.resolve(name), weights)
                .manifest()
                .sourceDigest();
    }

    @Test
    void licenceFilesNameTheLicenceWhereTheReadmeDoesNot() throws Exception {
        Path source = Files.createDirectory(folder.resolve("source"));
        assertThat(License.of(source)).isEqualTo("unknown");
        Files.writeString(source.resolve("LICENSE.txt"), "\n\n  MIT License \nCopyright");
        Files.writeString(source.resolve("README.md"), "# No front matter\nlicense: gpl");
        assertThat(License.of(source)).isEqualTo("MIT License");
    }
}

package dev.meridian.engine.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What Jinja itself rendered, under the settings of transformers. */
class ChatTemplateGoldenTest {
    private static final JsonNode OWN = Goldens.read("template-goldens.json");

    static Stream<Arguments> ownCases() {
        return cases(OWN);
    }

    private static Stream<Arguments> cases(JsonNode goldens) {
        return StreamSupport.stream(goldens.get("cases").spliterator(), false)
                .map(c -> Arguments.of(
                        c.get("template").asText(), c.get("conversation").asText(), c));
    }

    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("ownCases")
    void rendersAsJinjaDoes(String template, String conversation, JsonNode expected) throws IOException {
        TemplateInput input = Goldens.conversation(OWN.get("conversations").get(conversation));
        ChatTemplate compiled = ChatTemplate.compile(own(template));
        if (expected.has("error")) {
            assertThatThrownBy(() -> compiled.render(input, TemplateLimits.standard()))
                    .isInstanceOfSatisfying(
                            TemplateException.class, e -> assertThat(e.line()).isPositive());
        } else {
            assertThat(Goldens.joined(compiled.render(input, TemplateLimits.standard())))
                    .isEqualTo(expected.get("text").asText());
        }
    }

    /** A template of the tests, or one that ships with a model. */
    private static String own(String template) throws IOException {
        return template.startsWith("models/")
                ? Files.readString(Path.of(System.getProperty("meridian.root"), template))
                : Goldens.resource("templates/" + template);
    }

    static Stream<Arguments> assetCases() {
        return cases(Goldens.read("asset-goldens.json"));
    }

    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("assetCases")
    void rendersRealTemplatesAsJinjaDoes(String template, String conversation, JsonNode expected) throws IOException {
        Path file = Path.of(System.getProperty("meridian.assets", "none")).resolve(template);
        assumeTrue(Files.exists(file), "needs the assets");
        String content = Files.readString(file);
        String source = template.endsWith(".json")
                ? Goldens.readTree(content).get("chat_template").asText()
                : content;
        TemplateInput input = Goldens.conversation(OWN.get("conversations").get(conversation));
        if (expected.has("error")) {
            assertThatThrownBy(() -> Goldens.render(source, input)).isInstanceOf(TemplateException.class);
            return;
        }
        String text = Goldens.render(source, input);
        assertThat(text.codePointCount(0, text.length()))
                .isEqualTo(expected.get("length").asInt());
        assertThat(sha256(text)).isEqualTo(expected.get("sha256").asText());
    }

    private static String sha256(String text) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            return HexFormat.of().formatHex(digest.digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (java.security.NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void randomExpressionsAndTemplatesGiveWhatJinjaGives() {
        JsonNode goldens = Goldens.read("expression-goldens.json");
        TemplateInput input = Goldens.variables(goldens.get("variables"));
        List<String> differences = new ArrayList<>();
        for (JsonNode golden : goldens.get("cases")) {
            String source = golden.get("source").asText();
            String expected =
                    golden.has("error") ? "an error" : golden.get("text").asText();
            String actual;
            try {
                actual = Goldens.render(source, input);
            } catch (TemplateException e) {
                actual = golden.has("error") ? "an error" : "an error: " + e.getMessage() + " at " + e.line();
            }
            if (!actual.equals(expected)) {
                differences.add(source + "\n  expected " + golden + "\n  got      " + actual);
            }
        }
        assertThat(differences).isEmpty();
    }
}

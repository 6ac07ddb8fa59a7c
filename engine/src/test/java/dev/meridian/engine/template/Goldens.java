package dev.meridian.engine.template;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Reads the files that {@code render_templates.py} wrote, and renders with the same inputs. */
final class Goldens {
    static final Clock CLOCK = Clock.fixed(Instant.parse("2026-03-07T09:05:03Z"), ZoneOffset.UTC);
    private static final ObjectMapper JSON = new ObjectMapper();

    private Goldens() {}

    static JsonNode read(String name) {
        return readTree(resource(name));
    }

    static JsonNode readTree(String json) {
        try {
            return JSON.readTree(json);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static String resource(String name) {
        try (InputStream in = Goldens.class.getResourceAsStream("/" + name)) {
            if (in == null) {
                throw new IllegalArgumentException(name);
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The input of one of the goldens' conversations. */
    static TemplateInput conversation(JsonNode conversation) {
        Map<String, @Nullable Object> variables = JSON.convertValue(conversation, new TypeReference<>() {});
        List<Map<String, @Nullable Object>> messages =
                JSON.convertValue(conversation.get("messages"), new TypeReference<>() {});
        variables.remove("messages");
        boolean prompt = Boolean.TRUE.equals(variables.remove("add_generation_prompt"));
        Map<String, String> special = Map.of(TemplateInput.BOS_TOKEN, "<s>", TemplateInput.EOS_TOKEN, "</s>");
        return new TemplateInput(messages, prompt, special, variables, CLOCK);
    }

    static TemplateInput variables(JsonNode variables) {
        Map<String, @Nullable Object> map = JSON.convertValue(variables, new TypeReference<>() {});
        return new TemplateInput(List.of(), false, Map.of(), map, CLOCK);
    }

    static TemplateInput none() {
        return new TemplateInput(List.of(), false, Map.of(), new LinkedHashMap<>(), CLOCK);
    }

    static String render(String template, TemplateInput input) {
        return joined(ChatTemplate.compile(template).render(input, TemplateLimits.standard()));
    }

    static String joined(List<Segment> segments) {
        return segments.stream().map(Segment::text).collect(Collectors.joining());
    }
}

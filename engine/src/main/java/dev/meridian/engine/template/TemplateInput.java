package dev.meridian.engine.template;

import java.time.Clock;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a chat template is rendered with. Values are null, String, Boolean, Integer, Long, Float, Double, List and Map
 * with String keys. Every string of a message or of a variable is data of the client, except a role made of lower-case
 * letters; special tokens count as the template's own text.
 *
 * @param messages usually maps with {@code role} and {@code content}
 * @param specialTokens by variable name, for example {@code bos_token} and {@code eos_token}
 * @param variables further ones, for example {@code enable_thinking}; one with the name of another input wins over it
 * @param clock what {@code strftime_now} shows, with its zone
 */
public record TemplateInput(
        List<Map<String, @Nullable Object>> messages,
        boolean addGenerationPrompt,
        Map<String, String> specialTokens,
        Map<String, @Nullable Object> variables,
        Clock clock) {
    public static final String BOS_TOKEN = "bos_token";
    public static final String EOS_TOKEN = "eos_token";

    // Not the compact form: javac writes no type annotations for the parameters of that one.
    public TemplateInput(
            List<Map<String, @Nullable Object>> messages,
            boolean addGenerationPrompt,
            Map<String, String> specialTokens,
            Map<String, @Nullable Object> variables,
            Clock clock) {
        List<Map<String, @Nullable Object>> copies = new ArrayList<>();
        messages.forEach(message -> copies.add(Collections.unmodifiableMap(new LinkedHashMap<>(message))));
        this.messages = Collections.unmodifiableList(copies);
        this.addGenerationPrompt = addGenerationPrompt;
        this.specialTokens = Map.copyOf(specialTokens);
        this.variables = Collections.unmodifiableMap(new LinkedHashMap<>(variables));
        this.clock = Objects.requireNonNull(clock);
    }

    /** A message of a role and a text. */
    public static Map<String, @Nullable Object> message(String role, String content) {
        Map<String, @Nullable Object> message = new LinkedHashMap<>();
        message.put("role", role);
        message.put("content", content);
        return message;
    }

    /** The value that a template sees under {@code name}, or empty where this input has none. */
    Optional<Value> lookUp(String name) {
        if (variables.containsKey(name)) {
            return Optional.of(Inputs.data(variables.get(name)));
        }
        return switch (name) {
            case "messages" -> Optional.of(Inputs.data(messages));
            case "add_generation_prompt" -> Optional.of(Value.Bool.of(addGenerationPrompt));
            // Without tools or documents transformers passes None, which templates test for.
            case "tools", "documents" -> Optional.of(Value.None.NONE);
            default -> Optional.ofNullable(specialTokens.get(name)).map(Text::plain);
        };
    }
}

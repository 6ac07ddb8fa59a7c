package dev.meridian.builder.source;

import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;

/** The decoder families that can be imported, under the names that config.json's {@code model_type} uses. */
public enum Family {
    LLAMA("llama"),
    MISTRAL("mistral"),
    QWEN2("qwen2"),
    QWEN3("qwen3");

    private final String label;

    Family(String label) {
        this.label = label;
    }

    public String label() {
        return label;
    }

    static Optional<Family> of(String modelType) {
        return Arrays.stream(values()).filter(f -> f.label.equals(modelType)).findFirst();
    }

    static String labels() {
        return Arrays.stream(values()).map(Family::label).collect(Collectors.joining(", "));
    }
}

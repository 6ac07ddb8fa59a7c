package dev.meridian.builder;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * How a ready-made decoder names its inputs and outputs; {@code %d} stands for a layer's number.
 *
 * @param past one pattern for each cache of a layer: key and value, or both in one
 * @param present the same for what comes out
 */
record GraphNames(
        String inputIds,
        String attentionMask,
        String positionIds,
        String logits,
        List<String> past,
        List<String> present) {
    private static final String LAYER = "%d";
    private static final int MAX_LAYERS = 1024;

    static GraphNames huggingFace() {
        return new GraphNames(
                "input_ids",
                "attention_mask",
                "position_ids",
                "logits",
                List.of("past_key_values.%d.key", "past_key_values.%d.value"),
                List.of("present.%d.key", "present.%d.value"));
    }

    /** Of a genai_config.json's decoder, with onnxruntime-genai's defaults where it says nothing. */
    static GraphNames genai(JsonNode inputs, JsonNode outputs) {
        GraphNames usual = huggingFace();
        boolean combined = inputs.has("past_names");
        return new GraphNames(
                inputs.path("input_ids").asText(usual.inputIds()),
                inputs.path("attention_mask").asText(usual.attentionMask()),
                inputs.path("position_ids").asText(usual.positionIds()),
                outputs.path("logits").asText(usual.logits()),
                combined
                        ? List.of(inputs.path("past_names").asText())
                        : List.of(
                                inputs.path("past_key_names")
                                        .asText(usual.past().get(0)),
                                inputs.path("past_value_names")
                                        .asText(usual.past().get(1))),
                combined
                        ? List.of(outputs.path("present_names").asText("present_%d"))
                        : List.of(
                                outputs.path("present_key_names")
                                        .asText(usual.present().get(0)),
                                outputs.path("present_value_names")
                                        .asText(usual.present().get(1))));
    }

    /** How many layers, from 0 on, have all their caches among a graph's inputs. */
    int layers(Set<String> inputs) {
        int layers = 0;
        while (layers < MAX_LAYERS && inputs.containsAll(of(past, layers))) {
            layers++;
        }
        return layers;
    }

    /** The names that patterns stand for in the first layers, layer by layer. */
    static List<String> all(List<String> patterns, int layers) {
        List<String> names = new ArrayList<>();
        for (int layer = 0; layer < layers; layer++) {
            names.addAll(of(patterns, layer));
        }
        return names;
    }

    private static List<String> of(List<String> patterns, int layer) {
        return patterns.stream()
                .map(pattern -> pattern.replace(LAYER, Integer.toString(layer)))
                .toList();
    }
}

package dev.meridian.builder;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;

/**
 * The forward pass of the Llama, Mistral, Qwen2 and Qwen3 decoders as plain loops in double precision, written from
 * the models' definitions. It reads Hugging Face folders by itself and shares no code with the importer. Slow; for
 * small models. One thread.
 */
public final class ReferenceModel {
    private final JsonNode config;
    private final Function<String, double[]> tensors;
    private final int hidden;
    private final int heads;
    private final int kvHeads;
    private final int headDim;
    private final int intermediate;
    private final int layers;
    private final int vocab;
    private final double epsilon;
    private final double[] inverseFrequencies;
    private final String embedding;
    private final String head;

    private ReferenceModel(JsonNode config, Function<String, double[]> tensors, Set<String> names) {
        this.config = config;
        boolean hasEmbedding = names.contains("model.embed_tokens.weight");
        boolean hasHead = names.contains("lm_head.weight");
        boolean tied = config.path("tie_word_embeddings").asBoolean(false) || !hasHead;
        this.embedding = hasEmbedding ? "model.embed_tokens" : "lm_head";
        this.head = tied ? embedding : "lm_head";
        this.tensors = tensors;
        this.hidden = config.get("hidden_size").asInt();
        this.heads = config.get("num_attention_heads").asInt();
        this.kvHeads = config.path("num_key_value_heads").asInt(heads);
        this.headDim = config.path("head_dim").asInt(hidden / heads);
        this.intermediate = config.get("intermediate_size").asInt();
        this.layers = config.get("num_hidden_layers").asInt();
        this.vocab = config.get("vocab_size").asInt();
        this.epsilon = config.get("rms_norm_eps").asDouble();
        this.inverseFrequencies = inverseFrequencies();
    }

    /** Reads a model folder. */
    public static ReferenceModel load(Path folder) throws IOException {
        return of(folder, SafetensorsReader.readAll(folder));
    }

    /** A model of the folder's config.json with tensors from elsewhere, under their Hugging Face names. */
    public static ReferenceModel of(Path folder, Map<String, double[]> tensors) throws IOException {
        JsonNode config = new ObjectMapper().readTree(Files.readString(folder.resolve("config.json")));
        Function<String, double[]> lookup = name -> Objects.requireNonNull(tensors.get(name), name);
        return new ReferenceModel(config, lookup, tensors.keySet());
    }

    public int vocabSize() {
        return vocab;
    }

    /** A sequence without tokens. */
    public Sequence start() {
        return new Sequence();
    }

    /** Logits after every one of the tokens. */
    public List<double[]> logits(int... tokens) {
        Sequence sequence = start();
        List<double[]> all = new ArrayList<>();
        for (int token : tokens) {
            all.add(sequence.next(token));
        }
        return all;
    }

    /** The {@code count} tokens that greedy decoding appends to a prompt; the lowest id wins a tie. */
    public int[] greedy(int[] prompt, int count) {
        Sequence sequence = start();
        double[] last = new double[vocab];
        for (int token : prompt) {
            last = sequence.next(token);
        }
        int[] out = new int[count];
        for (int i = 0; i < count; i++) {
            out[i] = argMax(last);
            last = sequence.next(out[i]);
        }
        return out;
    }

    public static int argMax(double[] values) {
        int best = 0;
        for (int i = 1; i < values.length; i++) {
            if (values[i] > values[best]) {
                best = i;
            }
        }
        return best;
    }

    /** One sequence with its keys and values. */
    public final class Sequence {
        private final List<List<double[]>> keys = new ArrayList<>();
        private final List<List<double[]>> values = new ArrayList<>();

        private Sequence() {
            for (int i = 0; i < layers; i++) {
                keys.add(new ArrayList<>());
                values.add(new ArrayList<>());
            }
        }

        public int length() {
            return keys.getFirst().size();
        }

        /** Appends a token and returns the logits after it. */
        public double[] next(int token) {
            int position = length();
            double[] embeddings = tensors.apply(embedding + ".weight");
            double[] x = new double[hidden];
            System.arraycopy(embeddings, token * hidden, x, 0, hidden);
            for (int layer = 0; layer < layers; layer++) {
                String prefix = "model.layers." + layer + ".";
                add(x, attention(layer, prefix, rmsNorm(x, 0, hidden, prefix + "input_layernorm.weight"), position));
                add(x, mlp(prefix, rmsNorm(x, 0, hidden, prefix + "post_attention_layernorm.weight")));
            }
            double[] normed = rmsNorm(x, 0, hidden, "model.norm.weight");
            return product(head, normed, vocab, false);
        }

        private double[] attention(int layer, String prefix, double[] x, int position) {
            boolean qwen2 = type().equals("qwen2");
            boolean declared = config.path("attention_bias").asBoolean(false);
            double[] q = product(prefix + "self_attn.q_proj", x, heads * headDim, qwen2 || declared);
            double[] k = product(prefix + "self_attn.k_proj", x, kvHeads * headDim, qwen2 || declared);
            double[] v = product(prefix + "self_attn.v_proj", x, kvHeads * headDim, qwen2 || declared);
            if (type().equals("qwen3")) {
                q = normHeads(q, prefix + "self_attn.q_norm.weight");
                k = normHeads(k, prefix + "self_attn.k_norm.weight");
            }
            rotate(q, position);
            rotate(k, position);
            keys.get(layer).add(k);
            values.get(layer).add(v);
            double[] mixed = new double[heads * headDim];
            for (int head = 0; head < heads; head++) {
                attend(layer, q, head, mixed);
            }
            return product(prefix + "self_attn.o_proj", mixed, hidden, declared);
        }

        private void attend(int layer, double[] q, int head, double[] mixed) {
            int kvHead = head / (heads / kvHeads);
            int length = keys.get(layer).size();
            double[] scores = new double[length];
            double largest = Double.NEGATIVE_INFINITY;
            for (int t = 0; t < length; t++) {
                double dot = 0;
                for (int d = 0; d < headDim; d++) {
                    dot += q[head * headDim + d] * keys.get(layer).get(t)[kvHead * headDim + d];
                }
                scores[t] = dot / Math.sqrt(headDim);
                largest = Math.max(largest, scores[t]);
            }
            double sum = 0;
            for (int t = 0; t < length; t++) {
                scores[t] = Math.exp(scores[t] - largest);
                sum += scores[t];
            }
            for (int t = 0; t < length; t++) {
                for (int d = 0; d < headDim; d++) {
                    mixed[head * headDim + d] +=
                            scores[t] / sum * values.get(layer).get(t)[kvHead * headDim + d];
                }
            }
        }

        private double[] mlp(String prefix, double[] x) {
            boolean bias = config.path("mlp_bias").asBoolean(false);
            double[] gate = product(prefix + "mlp.gate_proj", x, intermediate, bias);
            double[] up = product(prefix + "mlp.up_proj", x, intermediate, bias);
            for (int i = 0; i < intermediate; i++) {
                up[i] *= gate[i] / (1 + Math.exp(-gate[i]));
            }
            return product(prefix + "mlp.down_proj", up, hidden, bias);
        }
    }

    private String type() {
        return config.get("model_type").asText();
    }

    /** y = W x + b with W of shape [out, in]. */
    private double[] product(String layer, double[] x, int out, boolean bias) {
        double[] weight = tensors.apply(layer + ".weight");
        double[] y = new double[out];
        for (int o = 0; o < out; o++) {
            double sum = bias ? tensors.apply(layer + ".bias")[o] : 0;
            for (int i = 0; i < x.length; i++) {
                sum += weight[o * x.length + i] * x[i];
            }
            y[o] = sum;
        }
        return y;
    }

    private double[] rmsNorm(double[] x, int from, int count, String weightName) {
        double[] weight = tensors.apply(weightName);
        double squares = 0;
        for (int i = from; i < from + count; i++) {
            squares += x[i] * x[i];
        }
        double factor = 1 / Math.sqrt(squares / count + epsilon);
        double[] out = new double[count];
        for (int i = 0; i < count; i++) {
            out[i] = x[from + i] * factor * weight[i];
        }
        return out;
    }

    private double[] normHeads(double[] x, String weightName) {
        double[] out = new double[x.length];
        for (int from = 0; from < x.length; from += headDim) {
            System.arraycopy(rmsNorm(x, from, headDim, weightName), 0, out, from, headDim);
        }
        return out;
    }

    /** Pairs dimension i with i + headDim / 2, as Hugging Face's rotate_half does. */
    private void rotate(double[] x, int position) {
        int half = headDim / 2;
        for (int head = 0; head < x.length; head += headDim) {
            for (int i = 0; i < half; i++) {
                double angle = position * inverseFrequencies[i];
                double a = x[head + i];
                double b = x[head + half + i];
                x[head + i] = a * Math.cos(angle) - b * Math.sin(angle);
                x[head + half + i] = b * Math.cos(angle) + a * Math.sin(angle);
            }
        }
    }

    private double[] inverseFrequencies() {
        JsonNode rope = config.path("rope_parameters").isObject()
                ? config.path("rope_parameters")
                : config.path("rope_scaling");
        double theta = rope.has("rope_theta")
                ? rope.get("rope_theta").asDouble()
                : config.path("rope_theta").asDouble(10000);
        String kind = rope.path("rope_type").asText(rope.path("type").asText("default"));
        double[] frequencies = new double[headDim / 2];
        for (int i = 0; i < frequencies.length; i++) {
            double f = Math.pow(theta, -2.0 * i / headDim);
            if (kind.equals("linear")) {
                f /= rope.get("factor").asDouble();
            } else if (kind.equals("llama3")) {
                f = llama3(f, rope);
            }
            frequencies[i] = f;
        }
        return frequencies;
    }

    /** Llama 3.1's rule: three bands by wavelength. */
    private static double llama3(double f, JsonNode rope) {
        double original = rope.get("original_max_position_embeddings").asDouble();
        double low = rope.get("low_freq_factor").asDouble();
        double high = rope.get("high_freq_factor").asDouble();
        double factor = rope.get("factor").asDouble();
        double wavelength = 2 * Math.PI / f;
        if (wavelength > original / low) {
            return f / factor;
        }
        if (wavelength < original / high) {
            return f;
        }
        double smooth = (original / wavelength - low) / (high - low);
        return (1 - smooth) * (f / factor) + smooth * f;
    }

    private static void add(double[] into, double[] x) {
        for (int i = 0; i < into.length; i++) {
            into[i] += x[i];
        }
    }
}

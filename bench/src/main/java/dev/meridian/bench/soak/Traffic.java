package dev.meridian.bench.soak;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.meridian.bench.soak.SoakRequest.Kind;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Turns rows of a trace into requests to one model: of ten, five are completions of ids, two and a half streamed chats, one
 * and a half whole chats, one is a drawn chat; one streaming client of twenty leaves in the middle. All but the drawn ones
 * forbid the end tokens, so that a reply is as long as the trace says. Thread-safe.
 */
final class Traffic {
    private static final JsonMapper JSON = new JsonMapper();
    private static final double LEAVES = 0.05;
    /** Words are a few tokens each, but how many differs: chats stay this far below the context. */
    private static final double CHAT_MARGIN = 0.8;
    /** Where special tokens stand in most vocabularies. */
    private static final int FIRST_ID = 16;

    private static final String[] WORDS = {
        "the", "a", "river", "of", "city", "and", "in", "stone", "light", "to", "what", "is", "capital", "country",
        "people", "water", "when", "morning", "tell", "me", "about", "old", "house", "north", "far", "sea", "green",
        "letter", "road", "answer", "small", "number"
    };

    private final Trace trace;
    private final String model;
    private final Shape shape;
    private final double scale;
    private final ChatCost chatCost;

    /** What is needed to know of a model. */
    record Shape(int contextTokens, int vocabSize, List<Integer> endTokens) {
        Shape {
            endTokens = List.copyOf(endTokens);
        }
    }

    /** How many tokens a chat of words has. */
    record ChatCost(double fixedTokens, double tokensPerWord) {
        /** From two chats' measured prompts. */
        static ChatCost between(int fewWords, int fewTokens, int manyWords, int manyTokens) {
            double perWord = Math.max(0.1, (manyTokens - fewTokens) / (double) (manyWords - fewWords));
            return new ChatCost(Math.max(0, fewTokens - perWord * fewWords), perWord);
        }

        int words(double promptTokens) {
            return (int) Math.max(1, Math.floor((promptTokens - fixedTokens) / tokensPerWord));
        }
    }

    Traffic(Trace trace, String model, Shape shape, ChatCost chatCost) {
        this.trace = trace;
        this.model = model;
        this.shape = shape;
        this.chatCost = chatCost;
        scale = trace.lengthScale(shape.contextTokens());
    }

    double lengthScale() {
        return scale;
    }

    int rows() {
        return trace.arrivals().size();
    }

    /**
     * The request of a row.
     *
     * @param round how often the trace has come round: the clients that leave are others each time
     */
    SoakRequest request(int row, int round) {
        Trace.Arrival arrival = trace.arrivals().get(row);
        SplittableRandom random = new SplittableRandom(row);
        Kind kind = kind(random.nextDouble());
        int room = (int) (shape.contextTokens() * (kind.isChat() ? CHAT_MARGIN : 1.0));
        int reply = Math.clamp(Math.round(scale * arrival.replyTokens()), 1, room / 2);
        int prompt = Math.clamp(Math.round(scale * arrival.promptTokens()), 1, room - reply);
        boolean leaves =
                kind.isStreamed() && reply >= 4 && new SplittableRandom(31L * row + round).nextDouble() < LEAVES;
        return new SoakRequest(row, kind, prompt, reply, leaves ? reply / 2 : 0);
    }

    private static Kind kind(double draw) {
        if (draw < 0.5) {
            return Kind.IDS_STREAMED;
        }
        if (draw < 0.75) {
            return Kind.CHAT_STREAMED;
        }
        return draw < 0.9 ? Kind.CHAT_WHOLE : Kind.CHAT_SAMPLED;
    }

    byte[] body(SoakRequest request) {
        SplittableRandom random = new SplittableRandom(~request.row());
        ObjectNode body = JSON.createObjectNode().put("model", model).put("max_tokens", request.replyTokens());
        if (request.kind().isChat()) {
            chat(body, words(random, chatCost.words(request.promptTokens())));
        } else {
            ArrayNode ids = body.putArray("prompt");
            for (int i = 0; i < request.promptTokens(); i++) {
                ids.add(random.nextInt(Math.min(FIRST_ID, shape.vocabSize() - 1), shape.vocabSize()));
            }
        }
        if (request.kind().isStreamed()) {
            body.put("stream", true).putObject("stream_options").put("include_usage", true);
        }
        if (request.kind().isGreedy()) {
            body.put("temperature", 0);
            ObjectNode bias = body.putObject("logit_bias");
            shape.endTokens().forEach(id -> bias.put(Integer.toString(id), -100));
        } else {
            body.put("temperature", 0.8).put("top_p", 0.95);
        }
        return bytes(body);
    }

    /** A chat of so many words with a reply of one token: to learn what words cost. */
    static byte[] probe(String model, int words) {
        ObjectNode body = JSON.createObjectNode().put("model", model).put("max_tokens", 1);
        chat(body, words(new SplittableRandom(words), words));
        return bytes(body);
    }

    private static void chat(ObjectNode body, String text) {
        body.putArray("messages").addObject().put("role", "user").put("content", text);
    }

    private static String words(SplittableRandom random, int count) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < count; i++) {
            text.append(i == 0 ? "" : " ").append(WORDS[random.nextInt(WORDS.length)]);
        }
        return text.toString();
    }

    private static byte[] bytes(ObjectNode body) {
        try {
            return JSON.writeValueAsBytes(body);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}

package dev.meridian.protocol.wire;

import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.ChatMessage;
import dev.meridian.protocol.Generation;
import dev.meridian.protocol.Prompt;
import dev.meridian.protocol.Sampling;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What a request is made of. */
final class RequestLayouts {
    static final Layout<Attempt> ATTEMPT = Layout.of(
            Attempt.class,
            (out, attempt) -> {
                out.writeText("request id", Caps.REQUEST_ID, attempt.requestId());
                out.writeNumber(attempt.number());
            },
            in -> new Attempt(in.readText("request id", Caps.REQUEST_ID), in.readNumber()));

    static final Layout<ChatMessage> CHAT_MESSAGE = Layout.of(
            ChatMessage.class,
            (out, message) -> {
                Codes.ROLES.write(out, message.role());
                out.writeText("message content", Caps.PROMPT_TEXT, message.content());
            },
            in -> new ChatMessage(Codes.ROLES.read(in), in.readText("message content", Caps.PROMPT_TEXT)));

    static final Layout<Prompt.Chat> CHAT = Layout.of(
            Prompt.Chat.class,
            (out, chat) -> out.writeList("messages", Caps.CHAT_MESSAGES, chat.messages(), out::writeRecord),
            in -> new Prompt.Chat(in.readList("messages", Caps.CHAT_MESSAGES, () -> in.readRecord(ChatMessage.class))));

    static final Layout<Prompt.Text> TEXT = Layout.of(
            Prompt.Text.class,
            (out, prompt) -> out.writeText("prompt text", Caps.PROMPT_TEXT, prompt.text()),
            in -> new Prompt.Text(in.readText("prompt text", Caps.PROMPT_TEXT)));

    static final Layout<Prompt.Tokens> TOKENS = Layout.of(
            Prompt.Tokens.class,
            (out, prompt) -> out.writeTokenIds("prompt tokens", prompt.ids()),
            in -> new Prompt.Tokens(in.readTokenIds("prompt tokens")));

    static final Layout<Sampling> SAMPLING = Layout.of(
            Sampling.class,
            (out, sampling) -> {
                out.writeNullable(sampling.temperature(), out::writeFloat);
                out.writeNullable(sampling.topK(), out::writeInt);
                out.writeNullable(sampling.topP(), out::writeFloat);
                out.writeNullable(sampling.minP(), out::writeFloat);
                out.writeNullable(sampling.repetitionPenalty(), out::writeFloat);
                out.writeFloat(sampling.presencePenalty());
                out.writeFloat(sampling.frequencyPenalty());
                writeLogitBias(out, sampling.logitBias());
                out.writeLong(sampling.seed());
            },
            in -> new Sampling(
                    in.readNullable("temperature", in::readFloat),
                    in.readNullable("topK", in::readInt),
                    in.readNullable("topP", in::readFloat),
                    in.readNullable("minP", in::readFloat),
                    in.readNullable("repetitionPenalty", in::readFloat),
                    in.readFloat(),
                    in.readFloat(),
                    readLogitBias(in),
                    in.readLong()));

    static final Layout<Generation> GENERATION = Layout.of(
            Generation.class,
            (out, generation) -> {
                out.writeRecord(generation.sampling());
                out.writeNumber(generation.choices());
                out.writeNumber(generation.maxTokens());
                out.writeList(
                        "stop texts",
                        Generation.MAX_STOPS,
                        generation.stop(),
                        stop -> out.writeText("stop text", Caps.STOP_TEXT, stop));
                out.writeByte(generation.topLogprobs());
                Codes.PRIORITIES.write(out, generation.priority());
            },
            in -> new Generation(
                    in.readRecord(Sampling.class),
                    in.readNumber(),
                    in.readNumber(),
                    in.readList("stop texts", Generation.MAX_STOPS, () -> in.readText("stop text", Caps.STOP_TEXT)),
                    in.readByte(),
                    Codes.PRIORITIES.read(in)));

    private RequestLayouts() {}

    /** By rising token id: a map's own order differs from one JVM to the next. */
    private static void writeLogitBias(WireOutput out, Map<Integer, Float> biases) {
        List<Map.Entry<Integer, Float>> sorted =
                biases.entrySet().stream().sorted(Map.Entry.comparingByKey()).toList();
        out.writeList("logit biases", Caps.LOGIT_BIASES, sorted, bias -> {
            out.writeNumber((int) bias.getKey());
            out.writeFloat(bias.getValue());
        });
    }

    private static Map<Integer, Float> readLogitBias(WireInput in) {
        Map<Integer, Float> biases = new HashMap<>();
        int count = in.readCount("logit biases", Caps.LOGIT_BIASES);
        for (int i = 0; i < count; i++) {
            if (biases.put(in.readNumber(), in.readFloat()) != null) {
                throw new WireException("two logit biases of one token");
            }
        }
        return biases;
    }
}

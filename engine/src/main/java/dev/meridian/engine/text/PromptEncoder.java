package dev.meridian.engine.text;

import dev.meridian.engine.template.ChatTemplate;
import dev.meridian.engine.template.Segment;
import dev.meridian.engine.template.TemplateException;
import dev.meridian.engine.template.TemplateInput;
import dev.meridian.engine.template.TemplateLimits;
import dev.meridian.protocol.ChatMessage;
import dev.meridian.protocol.Prompt;
import dev.meridian.protocol.Refusal;
import dev.meridian.protocol.Role;
import dev.meridian.protocol.TokenIds;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Prompts to token ids for one model. A chat is rendered by the model's template, always with the opening of the
 * assistant's turn; a model without a template reads the messages' contents, joined by newlines, after the tokenizer's
 * own prefix. A text that has more tokens than the context, however it is cut, is refused unread. The tokenizer stays the caller's to close. Safe for any thread.
 */
public final class PromptEncoder {
    private final Tokenizer tokenizer;
    private final Optional<ChatTemplate> template;
    private final boolean knowsDeveloper;
    private final TemplateLimits limits;
    private final Clock clock;
    private final int contextTokens;

    private PromptEncoder(
            Tokenizer tokenizer,
            Optional<ChatTemplate> template,
            boolean knowsDeveloper,
            TemplateLimits limits,
            Clock clock,
            int contextTokens) {
        this.tokenizer = tokenizer;
        this.template = template;
        this.knowsDeveloper = knowsDeveloper;
        this.limits = limits;
        this.clock = clock;
        this.contextTokens = contextTokens;
    }

    /**
     * Compiles the tokenizer's own chat template, if it has one. Throws {@link TemplateException} with its line.
     *
     * @param contextTokens prompts of as many tokens or more will be refused by whoever runs them
     */
    public static PromptEncoder of(Tokenizer tokenizer, TemplateLimits limits, Clock clock, int contextTokens) {
        Optional<String> source = tokenizer.chatTemplateSource();
        return new PromptEncoder(
                tokenizer,
                source.map(ChatTemplate::compile),
                source.map(text -> text.contains("developer")).orElse(false),
                limits,
                clock,
                contextTokens);
    }

    /** Renders and encodes; every fault of a prompt or a template is a refusal. */
    public Encoded encode(Prompt prompt) {
        try {
            return switch (prompt) {
                case Prompt.Chat(List<ChatMessage> messages) -> chat(messages);
                case Prompt.Text(String text) ->
                    tooLong(List.of(new Segment(text, false)))
                            .orElseGet(() -> checked(tokenizer.encodeText(text), "prompt"));
                case Prompt.Tokens(TokenIds ids) -> tokens(ids);
            };
        } catch (TokenizerException e) {
            return refused("prompt", String.valueOf(e.getMessage()));
        }
    }

    /** A text of any length, longer than the context too: for what is read in parts. */
    public Encoded encodeWhole(String text) {
        try {
            return checked(tokenizer.encodeText(text), "prompt");
        } catch (TokenizerException e) {
            return refused("prompt", String.valueOf(e.getMessage()));
        }
    }

    private Encoded chat(List<ChatMessage> messages) {
        if (template.isEmpty()) {
            String joined = messages.stream().map(ChatMessage::content).collect(Collectors.joining("\n"));
            return tooLong(List.of(new Segment(joined, true)))
                    .orElseGet(() -> checked(tokenizer.encodePlain(joined), "messages"));
        }
        List<Map<String, @Nullable Object>> turns = new ArrayList<>();
        for (ChatMessage message : messages) {
            turns.add(TemplateInput.message(roleName(message.role()), message.content()));
        }
        TemplateInput input = new TemplateInput(turns, true, tokenizer.specialTokens(), Map.of(), clock);
        try {
            List<Segment> rendering = template.get().render(input, limits);
            return tooLong(rendering).orElseGet(() -> checked(tokenizer.encode(rendering), "messages"));
        } catch (TemplateException e) {
            return new Encoded.Refused(new Refusal.TemplateFailed(String.valueOf(e.getMessage()), e.line()));
        }
    }

    /** Tokenising takes seconds for a megabyte, and other prompts wait behind it: not for one that is refused anyway. */
    private Optional<Encoded> tooLong(List<Segment> rendering) {
        long fewest = tokenizer.fewestTokens(rendering);
        return fewest < contextTokens
                ? Optional.empty()
                : Optional.of(
                        new Encoded.Refused(new Refusal.PromptTooLong(Math.toIntExact(fewest), false, contextTokens)));
    }

    private String roleName(Role role) {
        return role == Role.DEVELOPER && !knowsDeveloper ? Role.SYSTEM.wireName() : role.wireName();
    }

    private Encoded tokens(TokenIds ids) {
        int size = tokenizer.table().size();
        for (int i = 0; i < ids.size(); i++) {
            if (ids.get(i) < 0 || ids.get(i) >= size) {
                return refused(
                        "prompt", "token " + ids.get(i) + " at index " + i + " is outside the vocabulary of " + size);
            }
        }
        return ids.size() == 0 ? refused("prompt", "the prompt is empty") : new Encoded.Ids(ids);
    }

    private static Encoded checked(int[] ids, String parameter) {
        return ids.length == 0 ? refused(parameter, "the prompt is empty") : new Encoded.Ids(TokenIds.of(ids));
    }

    private static Encoded refused(String parameter, String message) {
        return new Encoded.Refused(new Refusal.InvalidRequest(parameter, message));
    }
}

package dev.meridian.bench.soak;

import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** What every reply of the load must be. Remembers the first reply to each greedy request, one for each row. Thread-safe. */
final class ReplyCheck {
    private final Map<Integer, First> firsts = new ConcurrentHashMap<>();

    private record First(String text, int promptTokens) {}

    /** What is wrong with a complete reply; empty where nothing is. */
    Optional<String> complete(SoakRequest request, ReplyReader reply) {
        if (reply.malformed() != null) {
            return Optional.of(reply.malformed());
        }
        if (!reply.isComplete()) {
            return Optional.of("the reply ended without [DONE]");
        }
        int tokens = reply.completionTokens();
        if (reply.events() > (request.kind().isStreamed() ? tokens : 1)) {
            return Optional.of(reply.events() + " pieces of text for " + tokens + " tokens");
        }
        if (!request.kind().isChat() && reply.promptTokens() != request.promptTokens()) {
            return Optional.of("usage counts " + reply.promptTokens() + " prompt tokens of " + request.promptTokens());
        }
        if (!request.kind().isGreedy()) {
            boolean atEnd = "stop".equals(reply.finish()) && tokens >= 1 && tokens <= request.replyTokens();
            boolean atLength = "length".equals(reply.finish()) && tokens == request.replyTokens();
            return atEnd || atLength ? Optional.empty() : Optional.of(ending(request, reply));
        }
        if (!"length".equals(reply.finish()) || tokens != request.replyTokens()) {
            return Optional.of(ending(request, reply));
        }
        First first = new First(reply.text(), reply.promptTokens());
        First before = firsts.putIfAbsent(request.row(), first);
        return before == null || before.promptTokens() == first.promptTokens()
                ? Optional.empty()
                : Optional.of(
                        "the same prompt had " + before.promptTokens() + " tokens and then " + first.promptTokens());
    }

    private static String ending(SoakRequest request, ReplyReader reply) {
        return "finish " + reply.finish() + " after " + reply.completionTokens() + " tokens of "
                + request.replyTokens();
    }

    /**
     * Where a greedy reply, or what a client that left had of it, parts from the first one to the same prompt; empty where it
     * does not, or where it is the first.
     */
    Optional<String> difference(SoakRequest request, ReplyReader reply) {
        First first = request.kind().isGreedy() ? firsts.get(request.row()) : null;
        if (first == null) {
            return Optional.empty();
        }
        String before = first.text();
        String now = reply.text();
        boolean same = request.leaveAfter() > 0 ? before.startsWith(now) : before.equals(now);
        if (same) {
            return Optional.empty();
        }
        int at = 0;
        while (at < before.length() && at < now.length() && before.charAt(at) == now.charAt(at)) {
            at++;
        }
        return Optional.of("other words than the first time, from character " + at + " of " + before.length() + " on");
    }
}

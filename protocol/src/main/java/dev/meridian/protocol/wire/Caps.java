package dev.meridian.protocol.wire;

/**
 * The most of everything in one message, for writer and reader alike. They stop what can only be a mistake or an
 * attack, and lie above what the edge, the host and the engine allow. Texts are counted in bytes of UTF-8.
 */
final class Caps {
    /** 64 characters, which are ASCII; an {@code Attempt} counts them only. */
    static final int REQUEST_ID = 3 * 64;

    /** Names of models and parameters. */
    static final int NAME = 512;

    /** Names of nodes, regions and roles, digests, kinds of weights. */
    static final int LABEL = 64;

    /** An actor reference as text. */
    static final int REF = 2048;

    /** One text of a prompt: four times the largest body that the edge takes by default. */
    static final int PROMPT_TEXT = 4 << 20;

    /** Messages of a chat: 16 times the edge's default. */
    static final int CHAT_MESSAGES = 16_384;

    /** Tokens of a prompt, or those that a choice has already got: the longest context. */
    static final int TOKENS = 1 << 20;

    /** What the edge takes of one request. */
    static final int LOGIT_BIASES = 1024;

    /** The edge takes 1000 characters. */
    static final int STOP_TEXT = 4000;

    /** A host sends 16 entries in one batch. */
    static final int ENTRIES = 1024;

    /** A token's text, and what was held back before it because a stop text might have formed. */
    static final int ENTRY_TEXT = 64 << 10;

    /** A token's text or its bytes in hexadecimal, of a log-probability. */
    static final int TOKEN_TEXT = 16 << 10;

    /** Of a stream, as one edge hands it to another: 16,384 characters. */
    static final int PIECE = 64 << 10;

    /** What a refusal says; an engine's failure quotes its cause. */
    static final int REASON = 64 << 10;

    /** Attempts of one edge in a heartbeat: 32 times the streams that an edge serves by default. */
    static final int LIVE_ATTEMPTS = 65_536;

    /** Steps of a change's plan: a drain names each replica of a node. */
    static final int PLAN = 1100;

    /** One step, or what a change waits for. */
    static final int STEP = 2048;

    /** Why something was decided: 256 characters. */
    static final int EVENT_REASON = 3 * 256;

    static final int NODES = 4096;
    static final int PINS = 65_536;
    static final int ROLES = 32;
    /** That a model is bound to. */
    static final int REGIONS = 256;

    static final int BUNDLES = 1024;
    static final int REPLICAS = 1024;

    private Caps() {}
}

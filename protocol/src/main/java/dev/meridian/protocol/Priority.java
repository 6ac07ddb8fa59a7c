package dev.meridian.protocol;

/**
 * How urgent a request is to others that wait for the same model. Engines share their slots between the classes by weight, so
 * each of them always goes on; inside one class arrival order holds.
 */
public enum Priority {
    /** Somebody waits and is served before others. */
    PRIORITY("priority"),
    /** What a request is that says nothing. */
    STANDARD("default"),
    /** Work in the background, which takes what others leave. */
    FLEX("flex");

    private final String wireName;

    Priority(String wireName) {
        this.wireName = wireName;
    }

    /** OpenAI's name of the service tier. */
    public String wireName() {
        return wireName;
    }
}

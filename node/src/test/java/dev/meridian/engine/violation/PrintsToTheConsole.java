package dev.meridian.engine.violation;

/** Writes to a stream that belongs to the command line. */
public final class PrintsToTheConsole {
    private PrintsToTheConsole() {}

    static void print() {
        System.out.println("out");
    }
}

package dev.meridian.node;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.util.function.BooleanSupplier;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * Turns what a command threw into one line and an exit code: 2 for a wrong command line, 130 for an interruption, 1 for
 * everything else. The stack trace follows only where it was asked for.
 */
final class ErrorReport implements IExecutionExceptionHandler, IParameterExceptionHandler {
    private final BooleanSupplier verbose;

    ErrorReport(BooleanSupplier verbose) {
        this.verbose = verbose;
    }

    @Override
    public int handleParseException(ParameterException failure, String[] args) {
        CommandLine command = failure.getCommandLine();
        PrintWriter err = command.getErr();
        String name = command.getCommandSpec().qualifiedName();
        err.println(name + ": " + message(failure));
        if (!UnmatchedArgumentException.printSuggestions(failure, err)) {
            err.println("'" + name + " --help' lists what there is.");
        }
        err.flush();
        return command.getCommandSpec().exitCodeOnInvalidInput();
    }

    @Override
    public int handleExecutionException(Exception failure, CommandLine command, ParseResult parsed) {
        PrintWriter err = command.getErr();
        boolean interrupted = failure instanceof InterruptedException;
        err.println(
                command.getCommandSpec().qualifiedName() + ": " + (interrupted ? "interrupted" : describe(failure)));
        if (verbose.getAsBoolean()) {
            failure.printStackTrace(err);
        }
        err.flush();
        return interrupted ? Main.INTERRUPTED : Main.FAILED;
    }

    /** Meridian's own exceptions and the file system's are written for people; anything else is a fault of ours. */
    static String describe(Throwable failure) {
        String message = message(failure);
        return switch (failure) {
            case UncheckedIOException unchecked when unchecked.getCause() != null -> describe(unchecked.getCause());
            case NoSuchFileException missing -> missing.getFile() + ": no such file or folder";
            case AccessDeniedException denied -> denied.getFile() + ": permission denied";
            case FileAlreadyExistsException existing -> existing.getFile() + ": exists already";
            case IOException _ -> message;
            case Exception ours when ours.getClass().getName().startsWith("dev.meridian.") -> message;
            default -> "internal error: " + oneLine(failure.toString()) + " (--verbose shows where)";
        };
    }

    private static String message(Throwable failure) {
        String message = failure.getMessage();
        return oneLine(message == null ? failure.toString() : message);
    }

    private static String oneLine(String text) {
        return text.strip().replaceAll("\\s*\\R\\s*", " ");
    }
}

package dev.meridian.node;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandleProxies;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What tells a node to stop: the first signal asks, a second one ends the process at once.
 *
 * <p>A shutdown hook cannot do this: while hooks run, the JVM takes further signals and drops them, so nobody could cut a
 * long stop short but with SIGKILL. So the handlers are our own, by {@code sun.misc.Signal} of module jdk.unsupported,
 * the only way that the JDK has. By reflection, because javac warns of every use of its name and lets nobody say that
 * the warning was heard.
 */
final class StopSignals {
    private static final Logger LOG = LoggerFactory.getLogger(StopSignals.class);

    /** What terminals and supervisors send; signals that a shell had ignored (nohup) stay ignored by the JVM. */
    private static final List<String> NAMES = List.of("INT", "TERM", "HUP");

    private static final int EXIT_CODE_OF_SIGNAL_0 = 128;

    private final CompletableFuture<Integer> first = new CompletableFuture<>();

    private StopSignals() {}

    /** Listens from now on. The stage completes at the first signal, with the exit code that stands for it. */
    static CompletableFuture<Integer> listen() {
        StopSignals signals = new StopSignals();
        for (String name : NAMES) {
            try {
                signals.handle(name);
            } catch (ReflectiveOperationException e) {
                // With -Xrs, and on systems that do not know the signal: there it does what it did without us.
                LOG.warn("SIG{} does not stop this node gracefully: {}", name, String.valueOf(e.getCause()));
            }
        }
        return signals.first;
    }

    private void handle(String name) throws ReflectiveOperationException {
        Class<?> signal = Class.forName("sun.misc.Signal");
        Class<?> handler = Class.forName("sun.misc.SignalHandler");
        Object number = signal.getMethod("getNumber")
                .invoke(signal.getConstructor(String.class).newInstance(name));
        int exitCode = EXIT_CODE_OF_SIGNAL_0 + (Integer) number;
        Runnable onSignal = () -> onSignal(exitCode);
        MethodHandle told = MethodHandles.publicLookup()
                .findVirtual(Runnable.class, "run", MethodType.methodType(void.class))
                .bindTo(onSignal);
        Object ours = MethodHandleProxies.asInterfaceInstance(handler, MethodHandles.dropArguments(told, 0, signal));
        signal.getMethod("handle", signal, handler)
                .invoke(null, signal.getConstructor(String.class).newInstance(name), ours);
    }

    private void onSignal(int exitCode) {
        if (!first.complete(exitCode)) {
            Runtime.getRuntime().halt(exitCode);
        }
    }
}

package dev.meridian.edge.stream;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import org.apache.pekko.Done;
import org.apache.pekko.stream.Attributes;
import org.apache.pekko.stream.Outlet;
import org.apache.pekko.stream.SourceShape;
import org.apache.pekko.stream.stage.AbstractOutHandler;
import org.apache.pekko.stream.stage.AsyncCallback;
import org.apache.pekko.stream.stage.GraphStage;
import org.apache.pekko.stream.stage.GraphStageLogic;
import org.apache.pekko.stream.stage.TimerGraphStageLogic;
import org.jspecify.annotations.Nullable;

/**
 * A client's view of a journal: each element shows all that arrived since the last one, the last element the end too.
 * When downstream goes away early, {@code whenAbandoned} runs and the journal is freed. Fails with {@link ClientCutOff}
 * where the client takes nothing.
 *
 * <p>Every token of every stream passes here, so rendering and comments are this stage's own instead of stages behind it.
 */
public final class JournalSource<T> extends GraphStage<SourceShape<T>> {
    private final Outlet<T> out = Outlet.create("JournalSource.out");
    private final SourceShape<T> shape = SourceShape.of(out);
    private final JournalReader journal;
    private final Function<JournalRead, @Nullable T> show;
    private final @Nullable Quiet<T> quiet;
    private final Runnable whenAbandoned;

    /**
     * What goes out where nothing else did for {@code interval}.
     *
     * @param interval above 0
     */
    public record Quiet<T>(Duration interval, T comment) {}

    /**
     * A view.
     *
     * @param show makes an element of what was read, or null where there is nothing to show yet; runs in the stream
     * @param quiet null where a reader needs no sign of life
     */
    public JournalSource(
            JournalReader journal,
            Function<JournalRead, @Nullable T> show,
            @Nullable Quiet<T> quiet,
            Runnable whenAbandoned) {
        this.journal = journal;
        this.show = show;
        this.quiet = quiet;
        this.whenAbandoned = whenAbandoned;
    }

    @Override
    public SourceShape<T> shape() {
        return shape;
    }

    @Override
    public GraphStageLogic createLogic(Attributes inheritedAttributes) {
        return new Logic();
    }

    private final class Logic extends TimerGraphStageLogic {
        /** One wake-up is enough for any number of entries that arrive before it runs. */
        private final AtomicBoolean woken = new AtomicBoolean();

        private boolean ended;
        private long pushedNanos = System.nanoTime();

        Logic() {
            super(shape);
            setHandler(out, new AbstractOutHandler() {
                @Override
                public void onPull() {
                    pushWhatIsThere();
                }
            });
        }

        @Override
        public void preStart() {
            AsyncCallback<Done> wake = createAsyncCallback(_ -> {
                woken.set(false);
                StreamFailure cut = journal.cutReason();
                if (cut != null && !isAvailable(out)) {
                    // The client has not taken what it has got: it will not take an error event either.
                    failStage(new ClientCutOff(cut));
                } else {
                    pushWhatIsThere();
                }
            });
            journal.onReady(() -> {
                if (woken.compareAndSet(false, true)) {
                    wake.invoke(Done.getInstance());
                }
            });
            if (quiet != null) {
                scheduleOnce(quiet, quiet.interval());
            }
        }

        private void pushWhatIsThere() {
            while (!ended && isAvailable(out)) {
                JournalRead read = journal.take();
                ended = read.end() != null;
                if (!ended && read.entries().isEmpty()) {
                    return;
                }
                T shown = show.apply(read);
                if (shown != null) {
                    push(out, shown);
                    pushedNanos = System.nanoTime();
                }
                if (ended) {
                    complete(out);
                }
            }
        }

        /** One timer that runs on past every element, and not one for each. */
        @Override
        public void onTimer(Object timer) {
            if (quiet == null || ended) {
                return;
            }
            long left = quiet.interval().toNanos() - (System.nanoTime() - pushedNanos);
            if (left <= 0) {
                if (isAvailable(out)) {
                    push(out, quiet.comment());
                }
                pushedNanos = System.nanoTime();
                left = quiet.interval().toNanos();
            }
            scheduleOnce(quiet, Duration.ofNanos(left));
        }

        @Override
        public void postStop() {
            if (!ended) {
                journal.discard();
                whenAbandoned.run();
            }
        }
    }
}

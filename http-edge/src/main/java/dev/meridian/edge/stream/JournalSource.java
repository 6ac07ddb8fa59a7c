package dev.meridian.edge.stream;

import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.pekko.Done;
import org.apache.pekko.stream.Attributes;
import org.apache.pekko.stream.Outlet;
import org.apache.pekko.stream.SourceShape;
import org.apache.pekko.stream.stage.AbstractOutHandler;
import org.apache.pekko.stream.stage.AsyncCallback;
import org.apache.pekko.stream.stage.GraphStage;
import org.apache.pekko.stream.stage.GraphStageLogic;

/**
 * A client's view of a journal: each element is all that arrived since the last one, the last element carries the end.
 * When downstream goes away early, {@code whenAbandoned} runs and the journal is freed. Fails with {@link ClientCutOff}
 * where the client takes nothing.
 */
public final class JournalSource extends GraphStage<SourceShape<JournalRead>> {
    private final Outlet<JournalRead> out = Outlet.create("JournalSource.out");
    private final SourceShape<JournalRead> shape = SourceShape.of(out);
    private final Journal journal;
    private final Runnable whenAbandoned;

    public JournalSource(Journal journal, Runnable whenAbandoned) {
        this.journal = journal;
        this.whenAbandoned = whenAbandoned;
    }

    @Override
    public SourceShape<JournalRead> shape() {
        return shape;
    }

    @Override
    public GraphStageLogic createLogic(Attributes inheritedAttributes) {
        return new Logic();
    }

    private final class Logic extends GraphStageLogic {
        /** One wake-up is enough for any number of entries that arrive before it runs. */
        private final AtomicBoolean woken = new AtomicBoolean();

        private boolean ended;

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
        }

        private void pushWhatIsThere() {
            if (ended || !isAvailable(out)) {
                return;
            }
            JournalRead read = journal.take();
            ended = read.end() != null;
            if (ended || !read.entries().isEmpty()) {
                push(out, read);
            }
            if (ended) {
                complete(out);
            }
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

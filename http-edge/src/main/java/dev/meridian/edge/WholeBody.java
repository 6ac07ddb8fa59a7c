package dev.meridian.edge;

import dev.meridian.edge.stream.ClientCutOff;
import dev.meridian.edge.stream.Journal;
import dev.meridian.edge.stream.StreamFailure;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.ResponseEntity;
import org.apache.pekko.stream.KillSwitches;
import org.apache.pekko.stream.UniqueKillSwitch;
import org.apache.pekko.stream.javadsl.Keep;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;
import org.jspecify.annotations.Nullable;

/**
 * The body of a reply that is not streamed, given out in pieces as its client takes them, so that the reply's bytes
 * count until they are out, and a client that takes none is cut off.
 */
final class WholeBody {
    private static final int PIECE_BYTES = 16_384;

    private WholeBody() {}

    /** @param whenOver hears once the client has it all or left, or why it was cut off */
    static ResponseEntity of(byte[] json, Journal journal, Consumer<@Nullable Throwable> whenOver) {
        ByteString body = ByteString.fromArrayUnsafe(json);
        int pieces = Math.ceilDiv(json.length, PIECE_BYTES);
        journal.handedOver();
        var source = Source.fromJavaStream(() -> IntStream.range(0, pieces))
                .map(piece -> {
                    journal.progressed();
                    return body.slice(piece * PIECE_BYTES, Math.min(json.length, (piece + 1) * PIECE_BYTES));
                })
                .viaMat(KillSwitches.<ByteString>single(), Keep.right())
                .watchTermination((client, done) -> {
                    journal.onReady(() -> abortIfCutOff(journal, client));
                    abortIfCutOff(journal, client);
                    done.whenComplete((_, failure) -> {
                        journal.discard();
                        whenOver.accept(failure);
                    });
                    return client;
                });
        return HttpEntities.create(ContentTypes.APPLICATION_JSON, json.length, source);
    }

    private static void abortIfCutOff(Journal journal, UniqueKillSwitch client) {
        StreamFailure reason = journal.cutReason();
        if (reason != null) {
            client.abort(new ClientCutOff(reason));
        }
    }
}

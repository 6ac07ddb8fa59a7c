package dev.meridian.protocol.wire;

import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.Entry;
import dev.meridian.protocol.Generation;
import dev.meridian.protocol.Prompt;
import dev.meridian.protocol.Refusal;
import dev.meridian.protocol.message.ReplicaCommand.Cancel;
import dev.meridian.protocol.message.ReplicaCommand.Resend;
import dev.meridian.protocol.message.ReplicaCommand.Submit;
import dev.meridian.protocol.message.StreamEvent.Accepted;
import dev.meridian.protocol.message.StreamEvent.EntriesForgotten;
import dev.meridian.protocol.message.StreamEvent.HandOver;
import dev.meridian.protocol.message.StreamEvent.Heartbeat;
import dev.meridian.protocol.message.StreamEvent.Refused;
import dev.meridian.protocol.message.StreamEvent.StepBatch;

/** The messages between edges and replicas. */
final class MessageLayouts {
    static final Layout<Submit> SUBMIT = Layout.of(
            Submit.class,
            (out, submit) -> {
                out.writeRecord(submit.attempt());
                out.writeText("model", Caps.NAME, submit.model());
                out.writeNumber(submit.epoch());
                out.writeVariant(submit.prompt());
                out.writeRecord(submit.generation());
                out.writeList(
                        "emitted",
                        Generation.MAX_CHOICES,
                        submit.emitted(),
                        ids -> out.writeTokenIds("emitted tokens", ids));
                out.writeList("finished", Generation.MAX_CHOICES, submit.finished(), out::writeBoolean);
                out.writeLong(submit.cacheScope());
                out.writeNumber(submit.deadlineEpochMillis());
                out.writeRef("edge", submit.edge());
            },
            in -> new Submit(
                    in.readRecord(Attempt.class),
                    in.readText("model", Caps.NAME),
                    in.readLongNumber(),
                    in.readVariant(Prompt.class),
                    in.readRecord(Generation.class),
                    in.readList("emitted", Generation.MAX_CHOICES, () -> in.readTokenIds("emitted tokens")),
                    in.readList("finished", Generation.MAX_CHOICES, () -> in.readFlag("finished")),
                    in.readLong(),
                    in.readLongNumber(),
                    in.readRef("edge")));

    static final Layout<Cancel> CANCEL = Layout.of(
            Cancel.class,
            (out, cancel) -> out.writeRecord(cancel.attempt()),
            in -> new Cancel(in.readRecord(Attempt.class)));

    static final Layout<Resend> RESEND = Layout.of(
            Resend.class,
            (out, resend) -> {
                out.writeRecord(resend.attempt());
                out.writeNumber(resend.choice());
                out.writeNumber(resend.fromIndex());
            },
            in -> new Resend(in.readRecord(Attempt.class), in.readNumber(), in.readNumber()));

    static final Layout<Accepted> ACCEPTED = Layout.of(
            Accepted.class,
            (out, accepted) -> {
                out.writeRecord(accepted.attempt());
                out.writeRef("producer", accepted.producer());
                out.writeTokenIds("prompt tokens", accepted.promptIds());
            },
            in -> new Accepted(in.readRecord(Attempt.class), in.readRef("producer"), in.readTokenIds("prompt tokens")));

    static final Layout<Refused> REFUSED = Layout.of(
            Refused.class,
            (out, refused) -> {
                out.writeRecord(refused.attempt());
                out.writeVariant(refused.reason());
            },
            in -> new Refused(in.readRecord(Attempt.class), in.readVariant(Refusal.class)));

    static final Layout<StepBatch> STEP_BATCH = Layout.of(
            StepBatch.class,
            (out, batch) -> {
                out.writeRef("producer", batch.producer());
                out.writeNumber(batch.step());
                out.writeList("entries", Caps.ENTRIES, batch.entries(), out::writeRecord);
            },
            in -> new StepBatch(
                    in.readRef("producer"),
                    in.readLongNumber(),
                    in.readList("entries", Caps.ENTRIES, () -> in.readRecord(Entry.class))));

    static final Layout<EntriesForgotten> ENTRIES_FORGOTTEN = Layout.of(
            EntriesForgotten.class,
            (out, forgotten) -> {
                out.writeRecord(forgotten.attempt());
                out.writeNumber(forgotten.choice());
                out.writeNumber(forgotten.fromIndex());
            },
            in -> new EntriesForgotten(in.readRecord(Attempt.class), in.readNumber(), in.readNumber()));

    static final Layout<Heartbeat> HEARTBEAT = Layout.of(
            Heartbeat.class,
            (out, heartbeat) -> {
                out.writeRef("producer", heartbeat.producer());
                out.writeNumber(heartbeat.step());
                out.writeList("live attempts", Caps.LIVE_ATTEMPTS, heartbeat.live(), out::writeRecord);
            },
            in -> new Heartbeat(
                    in.readRef("producer"),
                    in.readLongNumber(),
                    in.readList("live attempts", Caps.LIVE_ATTEMPTS, () -> in.readRecord(Attempt.class))));

    static final Layout<HandOver> HAND_OVER = Layout.of(
            HandOver.class,
            (out, handOver) -> out.writeRef("producer", handOver.producer()),
            in -> new HandOver(in.readRef("producer")));

    private MessageLayouts() {}
}

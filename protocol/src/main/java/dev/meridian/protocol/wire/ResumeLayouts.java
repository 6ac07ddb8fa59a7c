package dev.meridian.protocol.wire;

import dev.meridian.protocol.message.ResumeMessage.Follow;
import dev.meridian.protocol.message.ResumeMessage.Following;
import dev.meridian.protocol.message.ResumeMessage.Next;
import dev.meridian.protocol.message.ResumeMessage.NotKept;
import dev.meridian.protocol.message.ResumeMessage.Piece;

/** What edges of a region say of streams whose clients come back. */
final class ResumeLayouts {
    static final Layout<Follow> FOLLOW = Layout.of(
            Follow.class,
            (out, follow) -> {
                out.writeText("stream", Caps.NAME, follow.stream());
                out.writeText("owner", Caps.LABEL, follow.owner());
                out.writeNumber(follow.after());
                out.writeRef("reader", follow.reader());
            },
            in -> new Follow(
                    in.readText("stream", Caps.NAME),
                    in.readText("owner", Caps.LABEL),
                    in.readLongNumber(),
                    in.readRef("reader")));

    static final Layout<Following> FOLLOWING = Layout.of(
            Following.class,
            (out, following) -> {
                out.writeText("served by", Caps.NAME, following.servedBy());
                out.writeRef("source", following.source());
            },
            in -> new Following(in.readText("served by", Caps.NAME), in.readRef("source")));

    static final Layout<NotKept> NOT_KEPT = Layout.of(NotKept.class, (_, _) -> {}, _ -> new NotKept());

    static final Layout<Next> NEXT = Layout.of(Next.class, (_, _) -> {}, _ -> new Next());

    static final Layout<Piece> PIECE = Layout.of(
            Piece.class,
            (out, piece) -> {
                out.writeText("piece", Caps.PIECE, piece.text());
                out.writeBoolean(piece.last());
            },
            in -> new Piece(in.readText("piece", Caps.PIECE), in.readFlag("last")));

    private ResumeLayouts() {}
}

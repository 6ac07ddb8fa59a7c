package dev.meridian.engine.hostile;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/** Protobuf as fields that can be moved, doubled and changed, and written again with lengths that fit. */
final class WireTree {
    /** One field: a number of some wire type, bytes, or bytes that look like a message. */
    static final class Field {
        final int number;
        final int wire;
        long value;
        byte[] bytes = {};
        Optional<WireTree> message = Optional.empty();

        Field(int number, int wire) {
            this.number = number;
            this.wire = wire;
        }

        Field copy() {
            Field copy = new Field(number, wire);
            copy.value = value;
            copy.bytes = bytes.clone();
            copy.message = message.map(WireTree::copy);
            return copy;
        }
    }

    final List<Field> fields = new ArrayList<>();

    static Optional<WireTree> parse(byte[] bytes, int depth) {
        WireTree tree = new WireTree();
        Cursor in = new Cursor(bytes);
        while (in.at < bytes.length) {
            long tag = in.varint();
            Field field = new Field((int) (tag >>> 3), (int) (tag & 7));
            if (in.failed || field.number < 1 || field.number > 64) {
                return Optional.empty();
            }
            switch (field.wire) {
                case 0 -> field.value = in.varint();
                case 1 -> field.bytes = in.bytes(8);
                case 5 -> field.bytes = in.bytes(4);
                case 2 -> {
                    field.bytes = in.bytes(in.varint());
                    boolean text = new String(field.bytes, StandardCharsets.ISO_8859_1)
                            .chars()
                            .allMatch(c -> c >= ' ' && c < 0x7f);
                    field.message = depth == 0 || (text && field.bytes.length > 0)
                            ? Optional.empty()
                            : parse(field.bytes, depth - 1);
                }
                default -> in.failed = true;
            }
            if (in.failed) {
                return Optional.empty();
            }
            tree.fields.add(field);
        }
        return Optional.of(tree);
    }

    private static final class Cursor {
        final byte[] from;
        int at;
        boolean failed;

        Cursor(byte[] from) {
            this.from = from;
        }

        long varint() {
            long value = 0;
            for (int shift = 0; shift < 64; shift += 7) {
                if (at >= from.length) {
                    failed = true;
                    return 0;
                }
                byte next = from[at++];
                value |= (long) (next & 0x7f) << shift;
                if (next >= 0) {
                    return value;
                }
            }
            failed = true;
            return 0;
        }

        byte[] bytes(long count) {
            if (failed || count < 0 || count > from.length - at) {
                failed = true;
                return new byte[0];
            }
            at += (int) count;
            return java.util.Arrays.copyOfRange(from, at - (int) count, at);
        }
    }

    WireTree copy() {
        WireTree copy = new WireTree();
        fields.forEach(field -> copy.fields.add(field.copy()));
        return copy;
    }

    /** All messages, this one first. */
    List<WireTree> messages() {
        List<WireTree> all = new ArrayList<>(List.of(this));
        for (Field field : fields) {
            field.message.ifPresent(message -> all.addAll(message.messages()));
        }
        return all;
    }

    /** A message that has fields, mostly an inner one. */
    WireTree any(Random random) {
        List<WireTree> all =
                messages().stream().filter(message -> !message.fields.isEmpty()).toList();
        return all.get(random.nextInt(all.size()));
    }

    byte[] write() {
        return write(0);
    }

    /** With {@code padding} bytes more for every varint than it needs. */
    byte[] write(int padding) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (Field field : fields) {
            varint(out, ((long) field.number << 3) | field.wire, 0);
            switch (field.wire) {
                case 0 -> varint(out, field.value, padding);
                case 2 -> {
                    byte[] content =
                            field.message.map(message -> message.write(padding)).orElse(field.bytes);
                    varint(out, content.length, padding);
                    out.writeBytes(content);
                }
                default -> out.writeBytes(field.bytes);
            }
        }
        return out.toByteArray();
    }

    private static void varint(ByteArrayOutputStream out, long value, int padding) {
        long left = value;
        int written = 0;
        while (left < 0 || left > 0x7f) {
            out.write((int) ((left & 0x7f) | 0x80));
            left >>>= 7;
            written++;
        }
        int more = Math.min(padding, 9 - written);
        for (int i = 0; i < more; i++) {
            out.write((int) (left | 0x80));
            left = 0;
        }
        out.write((int) left);
    }
}

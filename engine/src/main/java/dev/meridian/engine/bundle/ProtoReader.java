package dev.meridian.engine.bundle;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/**
 * Reads one protobuf message strictly, and through {@link #message} those inside it. What two parsers may understand
 * differently is a fault: fields out of range, groups, a singular field that comes twice, numbers wider than their type,
 * text that is not UTF-8. Nothing is copied but text; the number of messages in one file has a bound. Faults are
 * {@link BundleException} with file, byte and message. Wire format: protobuf.dev, "Encoding".
 */
final class ProtoReader {
    private static final int VARINT = 0;
    private static final int FIXED64 = 1;
    private static final int BYTES = 2;
    private static final int FIXED32 = 5;
    private static final int MAX_FIELD = 536_870_911;

    private final Source source;
    private final String name;
    private final int end;
    private int at;
    private int field;
    private int wire;
    private long seen;

    /** What all readers of one file share. */
    private static final class Source {
        private final String file;
        private final ByteBuffer bytes;
        private int messagesLeft;

        private Source(String file, ByteBuffer bytes, int maxMessages) {
            this.file = file;
            this.bytes = bytes;
            this.messagesLeft = maxMessages;
        }
    }

    private ProtoReader(Source source, String name, int at, int end) {
        this.source = source;
        this.name = name;
        this.at = at;
        this.end = end;
    }

    /** A reader of all {@code bytes}, whatever their position; {@code file} and {@code name} stand in faults. */
    static ProtoReader of(String file, String name, ByteBuffer bytes, int maxMessages) {
        ByteBuffer own = bytes.duplicate().clear().order(ByteOrder.LITTLE_ENDIAN);
        return new ProtoReader(new Source(file, own, maxMessages), name, 0, own.limit());
    }

    /** Goes to the next field; false at the message's end. The field before must have been read. */
    boolean next() {
        if (at == end) {
            return false;
        }
        long tag = rawVarint();
        long number = tag >>> 3;
        field = (int) number;
        wire = (int) (tag & 7);
        if (number < 1 || number > MAX_FIELD) {
            throw fault("field number " + Long.toUnsignedString(number));
        }
        if (wire != VARINT && wire != FIXED64 && wire != BYTES && wire != FIXED32) {
            throw fault("field " + field + " has wire type " + wire);
        }
        return true;
    }

    int field() {
        return field;
    }

    boolean isPacked() {
        return wire == BYTES;
    }

    /** Marks the field as one that may come only once. */
    ProtoReader once() {
        long bit = field < 64 ? 1L << field : 0;
        if ((seen & bit) != 0) {
            throw fault("field " + field + " comes twice");
        }
        seen |= bit;
        return this;
    }

    BundleException unknown() {
        return fault("unknown field " + field);
    }

    long int64() {
        require(VARINT);
        return rawVarint();
    }

    /** An int32 or an enum: parsers cut what is wider, so that is a fault. */
    int int32() {
        long value = int64();
        if (value != (int) value) {
            throw fault("field " + field + ": " + value + " does not fit 32 bits");
        }
        return (int) value;
    }

    float float32() {
        require(FIXED32);
        return source.bytes.getFloat(skip(4));
    }

    long fixed64() {
        require(FIXED64);
        return source.bytes.getLong(skip(8));
    }

    /** The field's bytes as a view of the file. */
    ByteBuffer bytes() {
        int length = length();
        return source.bytes.slice(skip(length), length).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** A name: text of at most {@code maxBytes} without control characters. */
    String name(int maxBytes) {
        String text = text(maxBytes);
        if (text.chars().anyMatch(c -> c < ' ' || c == 0x7f)) {
            throw fault("field " + field + ": a control character in a name");
        }
        return text;
    }

    /** Text of at most {@code maxBytes}. */
    String text(int maxBytes) {
        ByteBuffer encoded = bytes();
        if (encoded.remaining() > maxBytes) {
            throw fault("field " + field + ": text of " + encoded.remaining() + " bytes, over " + maxBytes);
        }
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(encoded).toString();
        } catch (CharacterCodingException e) {
            throw fault("field " + field + ": text that is not UTF-8");
        }
    }

    /** Passes over text for people. */
    void remark(int maxBytes) {
        int length = bytes().remaining();
        if (length > maxBytes) {
            throw fault("field " + field + ": text of " + length + " bytes, over " + maxBytes);
        }
    }

    ProtoReader message(String type) {
        if (--source.messagesLeft < 0) {
            throw fault("more parts than a model may have");
        }
        int length = length();
        int start = skip(length);
        return new ProtoReader(source, type, start, start + length);
    }

    /** A reader of the packed numbers in this field; {@link #hasMore} says when they end. */
    ProtoReader packed() {
        ProtoReader values = message(name);
        values.field = field;
        return values;
    }

    boolean hasMore() {
        return at < end;
    }

    long packedInt64() {
        return rawVarint();
    }

    float packedFloat32() {
        return source.bytes.getFloat(skip(4));
    }

    long packedFixed64() {
        return source.bytes.getLong(skip(8));
    }

    BundleException fault(String what) {
        return new BundleException(source.file + ": byte " + at + ", in " + name + ": " + what);
    }

    private int length() {
        require(BYTES);
        long length = rawVarint();
        if (length < 0 || length > end - at) {
            throw fault(
                    "field " + field + ": " + Long.toUnsignedString(length) + " bytes, " + (end - at) + " are left");
        }
        return (int) length;
    }

    private int skip(int length) {
        if (length > end - at) {
            throw fault("ends within a number");
        }
        int start = at;
        at += length;
        return start;
    }

    private void require(int type) {
        if (wire != type) {
            throw fault("field " + field + " has wire type " + wire + ", expected " + type);
        }
    }

    private long rawVarint() {
        long value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            if (at == end) {
                throw fault("ends within a number");
            }
            byte next = source.bytes.get(at++);
            value |= (long) (next & 0x7f) << shift;
            if (next >= 0) {
                if (shift == 63 && next > 1) {
                    throw fault("a number of more than 64 bits");
                }
                return value;
            }
        }
        throw fault("a number of more than ten bytes");
    }
}

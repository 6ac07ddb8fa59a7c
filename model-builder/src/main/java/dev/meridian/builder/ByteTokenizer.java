package dev.meridian.builder;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A tokenizer.json for models without a language: ids 0 to 255 are the bytes, the last id is {@value #END}, and the
 * ids between are words that no text is tokenised into. Byte-level BPE without merges, after GPT-2's table of visible
 * characters.
 */
final class ByteTokenizer {
    static final String END = "<|end|>";
    static final int MIN_VOCABULARY = 257;

    private ByteTokenizer() {}

    static void write(Path file, int vocabSize) throws IOException {
        try (OutputStream out = Files.newOutputStream(file);
                JsonGenerator json = new JsonFactory().createGenerator(out)) {
            json.writeStartObject();
            json.writeStringField("version", "1.0");
            json.writeNullField("truncation");
            json.writeNullField("padding");
            json.writeArrayFieldStart("added_tokens");
            writeEnd(json, vocabSize - 1);
            json.writeEndArray();
            json.writeNullField("normalizer");
            writeByteLevel(json, "pre_tokenizer");
            json.writeNullField("post_processor");
            writeByteLevel(json, "decoder");
            writeModel(json, vocabSize);
            json.writeEndObject();
        }
    }

    private static void writeEnd(JsonGenerator json, int id) throws IOException {
        json.writeStartObject();
        json.writeNumberField("id", id);
        json.writeStringField("content", END);
        for (String flag : new String[] {"single_word", "lstrip", "rstrip", "normalized"}) {
            json.writeBooleanField(flag, false);
        }
        json.writeBooleanField("special", true);
        json.writeEndObject();
    }

    private static void writeByteLevel(JsonGenerator json, String field) throws IOException {
        json.writeObjectFieldStart(field);
        json.writeStringField("type", "ByteLevel");
        json.writeBooleanField("add_prefix_space", false);
        json.writeBooleanField("trim_offsets", false);
        json.writeBooleanField("use_regex", false);
        json.writeEndObject();
    }

    private static void writeModel(JsonGenerator json, int vocabSize) throws IOException {
        json.writeObjectFieldStart("model");
        json.writeStringField("type", "BPE");
        json.writeNullField("dropout");
        json.writeNullField("unk_token");
        json.writeNullField("continuing_subword_prefix");
        json.writeNullField("end_of_word_suffix");
        json.writeBooleanField("fuse_unk", false);
        json.writeBooleanField("byte_fallback", false);
        json.writeObjectFieldStart("vocab");
        int invisible = 256;
        for (int b = 0; b < 256; b++) {
            char visible = isVisible(b) ? (char) b : (char) invisible++;
            json.writeNumberField(String.valueOf(visible), b);
        }
        for (int id = 256; id < vocabSize - 1; id++) {
            json.writeNumberField("\u0120w" + id, id);
        }
        json.writeNumberField(END, vocabSize - 1);
        json.writeEndObject();
        json.writeArrayFieldStart("merges");
        json.writeEndArray();
        json.writeEndObject();
    }

    /** Bytes that stand for themselves in GPT-2's table: those with a visible Latin-1 character. */
    private static boolean isVisible(int b) {
        return (b >= '!' && b <= '~') || (b >= 0xa1 && b <= 0xac) || b >= 0xae;
    }
}

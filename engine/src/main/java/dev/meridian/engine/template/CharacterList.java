package dev.meridian.engine.template;

import java.util.AbstractList;
import java.util.RandomAccess;

/** The characters of a text, each made when asked for, so that a long text costs nothing until it is walked. */
final class CharacterList extends AbstractList<Value> implements RandomAccess {
    private final Text text;
    /** Where each code point begins; empty where all of them are one UTF-16 unit. */
    private final int[] offsets;

    private final int size;

    CharacterList(Text text) {
        this.text = text;
        this.size = text.codePoints();
        this.offsets = size == text.length() ? new int[0] : new int[size + 1];
        for (int i = 1; i < offsets.length; i++) {
            offsets[i] = text.chars().offsetByCodePoints(offsets[i - 1], 1);
        }
    }

    @Override
    public Value get(int index) {
        return offsets.length == 0 ? text.slice(index, index + 1) : text.slice(offsets[index], offsets[index + 1]);
    }

    @Override
    public int size() {
        return size;
    }
}

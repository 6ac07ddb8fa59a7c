package dev.meridian.builder.source;

import java.util.Optional;

/** Element types of safetensors that weights may have. */
enum ElementType {
    F32(4),
    F16(2),
    BF16(2);

    final int bytes;

    ElementType(int bytes) {
        this.bytes = bytes;
    }

    static Optional<ElementType> of(String name) {
        for (ElementType type : values()) {
            if (type.name().equals(name)) {
                return Optional.of(type);
            }
        }
        return Optional.empty();
    }
}

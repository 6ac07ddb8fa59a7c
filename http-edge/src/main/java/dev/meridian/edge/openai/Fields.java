package dev.meridian.edge.openai;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Typed access to a JSON object. A field that is missing and one that is null are the same; each error names the
 * parameter and what is allowed. Fields that nobody asked for by the end are unknown.
 */
public final class Fields {
    private final ObjectNode node;
    private final String path;
    private final Set<String> read = new HashSet<>();

    /** @param path what stands before a field's name in errors, for example {@code messages[0].} */
    public Fields(ObjectNode node, String path) {
        this.node = node;
        this.path = path;
    }

    static Fields of(JsonNode node, String path) {
        if (node instanceof ObjectNode object) {
            return new Fields(object, path + ".");
        }
        throw wrongType(path, "an object", node);
    }

    String path(String name) {
        return path + name;
    }

    @Nullable
    JsonNode any(String name) {
        read.add(name);
        JsonNode value = node.get(name);
        return value == null || value.isNull() ? null : value;
    }

    public JsonNode required(String name) {
        JsonNode value = any(name);
        if (value == null) {
            throw ApiException.invalid(
                    "missing_required_parameter", path(name), "Missing required parameter: '" + path(name) + "'.");
        }
        return value;
    }

    public @Nullable String text(String name) {
        JsonNode value = any(name);
        return value == null ? null : text(value, path(name));
    }

    /**
     * A string of Unicode characters: half a surrogate pair and NUL are refused, which not every tokenizer survives.
     */
    public static String text(JsonNode value, String param) {
        if (!value.isTextual()) {
            throw wrongType(param, "a string", value);
        }
        String text = value.textValue();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == 0) {
                throw invalidValue(param, "holds a NUL character (U+0000)");
            }
            if (Character.isSurrogate(c)) {
                boolean pair = Character.isHighSurrogate(c)
                        && i + 1 < text.length()
                        && Character.isLowSurrogate(text.charAt(i + 1));
                if (!pair) {
                    throw invalidValue(param, "holds an unpaired surrogate, which is no character");
                }
                i++;
            }
        }
        return text;
    }

    public boolean flag(String name) {
        JsonNode value = any(name);
        if (value != null && !value.isBoolean()) {
            throw wrongType(path(name), "a boolean", value);
        }
        return value != null && value.booleanValue();
    }

    /** An array's items, none where there is none. */
    public List<JsonNode> list(String name, int most) {
        JsonNode value = any(name);
        if (value == null) {
            return List.of();
        }
        if (!value.isArray()) {
            throw wrongType(path(name), "an array", value);
        }
        if (value.size() > most) {
            throw invalidValue(path(name), "has more than " + most + " items");
        }
        List<JsonNode> items = new ArrayList<>();
        value.forEach(items::add);
        return items;
    }

    /** A whole number from {@code min} to {@code max}. */
    @Nullable
    Integer integer(String name, int min, int max) {
        JsonNode value = any(name);
        return value == null ? null : integer(value, path(name), min, max);
    }

    static int integer(JsonNode value, String param, int min, int max) {
        if (!value.isIntegralNumber()) {
            throw wrongType(param, "an integer", value);
        }
        if (!value.canConvertToInt() || value.intValue() < min || value.intValue() > max) {
            throw outOfRange(param, Integer.toString(min), Integer.toString(max));
        }
        return value.intValue();
    }

    public @Nullable Long int64(String name) {
        JsonNode value = any(name);
        if (value == null) {
            return null;
        }
        if (!value.isIntegralNumber()) {
            throw wrongType(path(name), "an integer", value);
        }
        if (!value.canConvertToLong()) {
            throw outOfRange(path(name), Long.toString(Long.MIN_VALUE), Long.toString(Long.MAX_VALUE));
        }
        return value.longValue();
    }

    @Nullable
    Float number(String name, double min, double max) {
        JsonNode value = any(name);
        return value == null ? null : number(value, path(name), min, max);
    }

    static float number(JsonNode value, String param, double min, double max) {
        if (!value.isNumber()) {
            throw wrongType(param, "a number", value);
        }
        double number = value.doubleValue();
        if (!(number >= min && number <= max)) {
            throw outOfRange(param, plain(min), plain(max));
        }
        return (float) number;
    }

    /** A known parameter that is not supported: only values that ask for nothing pass. */
    void unsupported(String name, Predicate<JsonNode> neutral) {
        JsonNode value = any(name);
        if (value != null && !neutral.test(value)) {
            throw ApiException.invalid(
                    "unsupported_parameter",
                    path(name),
                    "'" + path(name) + "' is known but not supported here with this value; leave it out.");
        }
    }

    /** A parameter that changes nothing here, whatever it says. */
    void ignored(List<String> names) {
        read.addAll(names);
    }

    /** Refuses the first field that nobody asked for. */
    public void rejectUnknown() {
        for (Iterator<String> names = node.fieldNames(); names.hasNext(); ) {
            String name = names.next();
            if (!read.contains(name)) {
                String shown = path + (name.length() > 64 ? name.substring(0, 64) + "…" : name);
                throw ApiException.invalid(
                        "unknown_parameter", shown, "Unrecognized request argument supplied: '" + shown + "'.");
            }
        }
    }

    static ApiException wrongType(String param, String expected, JsonNode got) {
        return ApiException.invalid(
                "invalid_type",
                param,
                "Invalid type for '" + param + "': expected " + expected + ", but got " + nameOf(got) + ".");
    }

    static ApiException invalidValue(String param, String what) {
        return ApiException.invalid("invalid_value", param, "Invalid value for '" + param + "': it " + what + ".");
    }

    static ApiException outOfRange(String param, String min, String max) {
        return ApiException.invalid(
                "out_of_range", param, "Invalid value for '" + param + "': expected " + min + " to " + max + ".");
    }

    private static String plain(double number) {
        return number == Math.rint(number) ? Long.toString((long) number) : Double.toString(number);
    }

    private static String nameOf(JsonNode node) {
        return switch (node.getNodeType()) {
            case ARRAY -> "an array";
            case OBJECT, POJO -> "an object";
            case STRING, BINARY -> "a string";
            case NUMBER -> node.isIntegralNumber() ? "an integer" : "a number";
            case BOOLEAN -> "a boolean";
            case NULL, MISSING -> "null";
        };
    }
}

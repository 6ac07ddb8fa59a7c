package dev.meridian.engine.template;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Map;
import java.util.Optional;

/** Filters that make numbers. */
final class NumberFilters {
    private static final int MAX_DIGITS = 400;

    private NumberFilters() {}

    static void register(Map<String, Builtin> filters) {
        filters.put("int", (_, args) -> toInteger(args));
        filters.put(
                "float",
                (_, args) -> toReal(args.required(0, "value"), args.optional(1, "default", new Value.Real(0.0))));
        filters.put("abs", (_, args) -> absolute(args.required(0, "x")));
        filters.put("round", (_, args) -> round(args));
        filters.put("sum", NumberFilters::sum);
    }

    private static Value toInteger(Args args) {
        Value value = args.required(0, "value");
        Value fallback = args.optional(1, "default", new Value.Int(0));
        int base = Arithmetic.smallInteger(args.optional(2, "base", new Value.Int(10)));
        if (value instanceof Text text) {
            Optional<Value> parsed = parseInteger(text.chars(), base);
            return parsed.orElseGet(
                    () -> parseReal(text.chars()).map(NumberFilters::truncate).orElse(fallback));
        }
        if (value instanceof Value.Real(double number)) {
            return truncate(number);
        }
        if (value instanceof Value.Undefined(String reason)) {
            throw new TemplateException(reason);
        }
        return Arithmetic.isInteger(value) ? new Value.Int(Arithmetic.integer(value)) : fallback;
    }

    private static Value truncate(double number) {
        if (!Double.isFinite(number) || Math.abs(number) >= Long.MAX_VALUE) {
            throw new TemplateException("cannot convert float " + Display.real(number) + " to an integer of 64 bits");
        }
        return new Value.Int((long) number);
    }

    private static Optional<Value> parseInteger(String chars, int base) {
        if (base < 2 || base > 36) {
            throw new TemplateException("int() base must be >= 2 and <= 36");
        }
        String digits = stripped(chars).replaceAll("(?<=[0-9a-zA-Z])_(?=[0-9a-zA-Z])", "");
        String prefix = base == 16 ? "0[xX]" : base == 8 ? "0[oO]" : base == 2 ? "0[bB]" : "(?!)";
        try {
            return Optional.of(new Value.Int(Long.parseLong(digits.replaceFirst("(?<=^[+-]?)" + prefix, ""), base)));
        } catch (NumberFormatException e) {
            return Optional.empty();
        }
    }

    private static Optional<Double> parseReal(String chars) {
        String digits = stripped(chars);
        if (digits.length() > MAX_DIGITS || !digits.matches("[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?")) {
            return Optional.empty();
        }
        return Optional.of(Double.parseDouble(digits));
    }

    private static String stripped(String chars) {
        int from = 0;
        int to = Characters.endOfStripped(chars);
        while (from < to && Characters.isSpace(chars.charAt(from))) {
            from++;
        }
        return chars.substring(from, Math.min(to, from + MAX_DIGITS + 1));
    }

    private static Value toReal(Value value, Value fallback) {
        if (value instanceof Text text) {
            return parseReal(text.chars()).<Value>map(Value.Real::new).orElse(fallback);
        }
        if (value instanceof Value.Undefined(String reason)) {
            throw new TemplateException(reason);
        }
        return Arithmetic.isNumber(value) ? new Value.Real(Arithmetic.real(value)) : fallback;
    }

    private static Value absolute(Value value) {
        if (value instanceof Value.Real(double number)) {
            return new Value.Real(Math.abs(number));
        }
        return Arithmetic.integer(value) < 0 ? Arithmetic.sign("-", value) : new Value.Int(Arithmetic.integer(value));
    }

    private static Value round(Args args) {
        Value value = args.required(0, "value");
        int precision = Math.clamp(Arithmetic.integer(args.optional(1, "precision", new Value.Int(0))), -20, 20);
        String method = args.optional(2, "method", Text.plain("common")) instanceof Text name ? name.chars() : "";
        if (!method.equals("common") && !method.equals("ceil") && !method.equals("floor")) {
            throw new TemplateException("method must be common, ceil or floor");
        }
        if (method.equals("common")) {
            return roundHalfEven(value, precision);
        }
        double scale = Math.pow(10, precision);
        double scaled = Arithmetic.real(value) * scale;
        // Python's ceil and floor are integers, so there is no negative zero.
        return new Value.Real(((method.equals("ceil") ? Math.ceil(scaled) : Math.floor(scaled)) + 0.0) / scale);
    }

    private static Value roundHalfEven(Value value, int precision) {
        if (value instanceof Value.Real(double number)) {
            return Double.isFinite(number)
                    ? new Value.Real(Math.copySign(
                            new BigDecimal(number)
                                    .setScale(precision, RoundingMode.HALF_EVEN)
                                    .doubleValue(),
                            number))
                    : value;
        }
        long integer = Arithmetic.integer(value);
        return precision >= 0
                ? new Value.Int(integer)
                : new Value.Int(BigDecimal.valueOf(integer)
                        .setScale(precision, RoundingMode.HALF_EVEN)
                        .longValue());
    }

    private static Value sum(Context context, Args args) {
        Value attribute = args.optional(1, "attribute", Value.None.NONE);
        Value total = args.optional(2, "start", new Value.Int(0));
        for (Value item : context.items(args.required(0, "iterable"))) {
            total = Arithmetic.compute("+", total, ListFilters.path(context, item, attribute));
        }
        return total;
    }
}

package dev.meridian.engine.template;

import java.math.BigDecimal;
import java.util.List;
import java.util.Map;

/** Python's {@code str} and {@code repr}; characters keep their origin. */
final class Display {
    private Display() {}

    static Text string(Budget budget, Value value) {
        return switch (value) {
            case Text text -> text;
            case Value.Undefined _ -> Text.EMPTY;
            default -> {
                Text.Builder out = new Text.Builder();
                repr(budget, value, out);
                yield out.build();
            }
        };
    }

    static Text repr(Budget budget, Value value) {
        Text.Builder out = new Text.Builder();
        repr(budget, value, out);
        return out.build();
    }

    private static void repr(Budget budget, Value value, Text.Builder out) {
        budget.enter();
        budget.checkSize(out.length());
        switch (value) {
            case Text text -> quoted(budget, text, out);
            case Value.Int(long number) -> out.append(Long.toString(number));
            case Value.Real(double number) -> out.append(real(number));
            case Value.Bool bool -> out.append(bool == Value.Bool.TRUE ? "True" : "False");
            case Value.None _ -> out.append("None");
            case Value.Undefined _ -> out.append("Undefined");
            case Value.Seq seq -> sequence(budget, seq, out);
            case Value.Dict dict -> dict(budget, dict, out);
            case Value.Namespace _, Value.Function _, Loop _ ->
                throw new TemplateException("a " + Sequences.typeName(value) + " cannot be printed");
        }
        budget.leave();
    }

    private static void sequence(Budget budget, Value.Seq seq, Text.Builder out) {
        switch (seq.kind()) {
            case LIST -> items(budget, seq.items(), "[", "]", out);
            case TUPLE -> items(budget, seq.items(), "(", seq.items().size() == 1 ? ",)" : ")", out);
            case RANGE -> {
                Value.RangeList range = (Value.RangeList) seq.items();
                String step = range.step == 1 ? "" : ", " + range.step;
                out.append("range(" + range.start + ", " + range.stop + step + ")");
            }
            case ITERATOR -> throw new TemplateException("a generator cannot be printed; make it a list first");
        }
    }

    private static void items(Budget budget, List<Value> items, String open, String close, Text.Builder out) {
        out.append(open);
        String separator = "";
        for (Value item : items) {
            out.append(separator);
            repr(budget, item, out);
            separator = ", ";
        }
        out.append(close);
    }

    private static void dict(Budget budget, Value.Dict dict, Text.Builder out) {
        out.append("{");
        String separator = "";
        for (Map.Entry<Value, Value> entry : dict.entries().entrySet()) {
            out.append(separator);
            repr(budget, entry.getKey(), out);
            out.append(": ");
            repr(budget, entry.getValue(), out);
            separator = ", ";
        }
        out.append("}");
    }

    /** A string literal: single quotes unless it holds only single ones. */
    private static void quoted(Budget budget, Text text, Text.Builder out) {
        String chars = text.chars();
        budget.chargeText(chars.length());
        char quote = chars.indexOf('\'') >= 0 && chars.indexOf('"') < 0 ? '"' : '\'';
        out.append(String.valueOf(quote));
        for (int at = 0; at < chars.length(); ) {
            int c = chars.codePointAt(at);
            int next = at + Character.charCount(c);
            String escaped = escape(c, quote);
            if (escaped.isEmpty()) {
                out.append(text, at, next);
            } else {
                out.append(escaped, text.isData(at));
            }
            at = next;
        }
        out.append(String.valueOf(quote));
    }

    private static String escape(int c, char quote) {
        return switch (c) {
            case '\\' -> "\\\\";
            case '\n' -> "\\n";
            case '\r' -> "\\r";
            case '\t' -> "\\t";
            default -> {
                if (c == quote) {
                    yield "\\" + quote;
                }
                if (isPrintable(c)) {
                    yield "";
                }
                yield c < 0x100
                        ? String.format("\\x%02x", c)
                        : c < 0x10000 ? String.format("\\u%04x", c) : String.format("\\U%08x", c);
            }
        };
    }

    private static boolean isPrintable(int c) {
        return c == ' '
                || switch (Character.getType(c)) {
                    case Character.CONTROL,
                            Character.FORMAT,
                            Character.SURROGATE,
                            Character.PRIVATE_USE,
                            Character.UNASSIGNED,
                            Character.LINE_SEPARATOR,
                            Character.PARAGRAPH_SEPARATOR,
                            Character.SPACE_SEPARATOR -> false;
                    default -> true;
                };
    }

    /** The shortest digits that read back the same, in Python's layout: {@code 1.0}, {@code 1e+16}, {@code 1e-05}. */
    static String real(double number) {
        if (Double.isNaN(number)) {
            return "nan";
        }
        if (Double.isInfinite(number)) {
            return number > 0 ? "inf" : "-inf";
        }
        if (number == 0) {
            return 1 / number < 0 ? "-0.0" : "0.0";
        }
        BigDecimal decimal = new BigDecimal(Double.toString(number)).stripTrailingZeros();
        int exponent = decimal.precision() - decimal.scale() - 1;
        if (exponent >= -4 && exponent < 16) {
            String plain = decimal.toPlainString();
            return plain.indexOf('.') < 0 ? plain + ".0" : plain;
        }
        String digits = decimal.unscaledValue().abs().toString();
        String fraction = digits.length() > 1 ? "." + digits.substring(1) : "";
        return (number < 0 ? "-" : "") + digits.charAt(0) + fraction + "e" + (exponent < 0 ? "-" : "+")
                + String.format("%02d", Math.abs(exponent));
    }
}

package dev.meridian.engine.template;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** {@code 'text %s' % value}: the conversions s, r, d, i and f with a width, a leading zero and a precision. */
final class PercentFormat {
    private static final Pattern CONVERSION = Pattern.compile("%(-?)(0?)([0-9]{0,4})(?:\\.([0-9]{1,3}))?([sridf%])");

    private PercentFormat() {}

    static Value format(Context context, Text format, Value operand) {
        List<Value> arguments =
                operand instanceof Value.Seq seq && seq.kind() == Value.Seq.Kind.TUPLE ? seq.items() : List.of(operand);
        return format(context, format, arguments);
    }

    static Value format(Context context, Text format, List<Value> arguments) {
        Text.Builder out = new Text.Builder();
        Matcher matcher = CONVERSION.matcher(format.chars());
        int at = 0;
        int used = 0;
        for (int percent = format.chars().indexOf('%');
                percent >= 0;
                percent = format.chars().indexOf('%', at)) {
            out.append(format, at, percent);
            if (!matcher.region(percent, format.length()).lookingAt()) {
                throw new TemplateException("unsupported format character in '%' format");
            }
            at = matcher.end();
            if (matcher.group(5).equals("%")) {
                out.append(format, percent, percent + 1);
                continue;
            }
            if (used == arguments.size()) {
                throw new TemplateException("not enough arguments for format string");
            }
            pad(context, matcher, convert(context, matcher, arguments.get(used++)), out);
        }
        if (used < arguments.size() && !(arguments.getFirst() instanceof Value.Dict)) {
            throw new TemplateException("not all arguments converted during string formatting");
        }
        out.append(format, at, format.length());
        context.budget.chargeText(out.length());
        return out.build();
    }

    private static Text convert(Context context, Matcher matcher, Value value) {
        String precision = matcher.group(4);
        return switch (matcher.group(5)) {
            case "s" -> cut(context.string(value), precision);
            case "r" -> cut(Display.repr(context.budget, value), precision);
            case "f" ->
                Text.plain(new BigDecimal(Arithmetic.real(value))
                        .setScale(precision == null ? 6 : Integer.parseInt(precision), RoundingMode.HALF_EVEN)
                        .toPlainString());
            default ->
                Text.plain(Long.toString(
                        value instanceof Value.Real(double number) ? (long) number : Arithmetic.integer(value)));
        };
    }

    private static Text cut(Text text, String precision) {
        return precision == null
                ? text
                : text.slice(0, text.offsetOf(Math.min(Integer.parseInt(precision), text.codePoints())));
    }

    private static void pad(Context context, Matcher matcher, Text piece, Text.Builder out) {
        int width = matcher.group(3).isEmpty() ? 0 : Integer.parseInt(matcher.group(3));
        int missing = Math.max(0, width - piece.codePoints());
        context.budget.checkSize((long) out.length() + piece.length() + missing);
        boolean left = !matcher.group(1).isEmpty();
        boolean zeros = !matcher.group(2).isEmpty() && !left && "dif".contains(matcher.group(5));
        int sign = zeros && piece.chars().startsWith("-") ? 1 : 0;
        if (left) {
            out.append(piece).append(" ".repeat(missing));
        } else {
            out.append(piece, 0, sign)
                    .append((zeros ? "0" : " ").repeat(missing))
                    .append(piece, sign, piece.length());
        }
    }
}

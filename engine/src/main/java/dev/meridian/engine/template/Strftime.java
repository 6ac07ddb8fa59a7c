package dev.meridian.engine.template;

import java.time.Clock;
import java.time.ZonedDateTime;
import java.time.format.TextStyle;
import java.time.temporal.ChronoField;
import java.time.temporal.IsoFields;
import java.util.Locale;

/** The conversions of C's {@code strftime} in the C locale; one that is not known stays as it is written. */
final class Strftime {
    private Strftime() {}

    static String format(String format, Clock clock) {
        ZonedDateTime now = ZonedDateTime.now(clock);
        StringBuilder out = new StringBuilder();
        for (int at = 0; at < format.length(); at++) {
            char c = format.charAt(at);
            if (c != '%' || at + 1 == format.length()) {
                out.append(c);
                continue;
            }
            char conversion = format.charAt(++at);
            boolean bare = conversion == '-' && at + 1 < format.length();
            if (bare) {
                conversion = format.charAt(++at);
            }
            String field = field(conversion, now);
            out.append(bare ? withoutPadding(field) : field);
        }
        return out.toString();
    }

    private static String field(char conversion, ZonedDateTime now) {
        return switch (conversion) {
            case 'a' -> now.getDayOfWeek().getDisplayName(TextStyle.SHORT, Locale.ENGLISH);
            case 'A' -> now.getDayOfWeek().getDisplayName(TextStyle.FULL, Locale.ENGLISH);
            case 'b', 'h' -> now.getMonth().getDisplayName(TextStyle.SHORT, Locale.ENGLISH);
            case 'B' -> now.getMonth().getDisplayName(TextStyle.FULL, Locale.ENGLISH);
            case 'c' -> format("%a %b %e %H:%M:%S %Y", fixed(now));
            case 'd' -> padded(now.getDayOfMonth(), 2);
            case 'e' -> String.format("%2d", now.getDayOfMonth());
            case 'D', 'x' -> format("%m/%d/%y", fixed(now));
            case 'F' -> format("%Y-%m-%d", fixed(now));
            case 'f' -> padded(now.get(ChronoField.MICRO_OF_SECOND), 6);
            case 'H' -> padded(now.getHour(), 2);
            case 'I' -> padded((now.getHour() + 11) % 12 + 1, 2);
            case 'j' -> padded(now.getDayOfYear(), 3);
            case 'm' -> padded(now.getMonthValue(), 2);
            case 'M' -> padded(now.getMinute(), 2);
            case 'n' -> "\n";
            case 'p' -> now.getHour() < 12 ? "AM" : "PM";
            case 'R' -> format("%H:%M", fixed(now));
            case 's' -> Long.toString(now.toEpochSecond());
            case 'S' -> padded(now.getSecond(), 2);
            case 't' -> "\t";
            case 'T', 'X' -> format("%H:%M:%S", fixed(now));
            case 'u' -> Integer.toString(now.getDayOfWeek().getValue());
            case 'V' -> padded(now.get(IsoFields.WEEK_OF_WEEK_BASED_YEAR), 2);
            case 'w' -> Integer.toString(now.getDayOfWeek().getValue() % 7);
            case 'y' -> padded(now.getYear() % 100, 2);
            case 'Y' -> Integer.toString(now.getYear());
            // As in Python, whose datetime.now() has no zone.
            case 'z', 'Z' -> "";
            case '%' -> "%";
            default -> "%" + conversion;
        };
    }

    private static Clock fixed(ZonedDateTime now) {
        return Clock.fixed(now.toInstant(), now.getZone());
    }

    private static String padded(int number, int width) {
        return String.format("%0" + width + "d", number);
    }

    private static String withoutPadding(String field) {
        int at = 0;
        while (at < field.length() - 1 && (field.charAt(at) == '0' || field.charAt(at) == ' ')) {
            at++;
        }
        return field.substring(at);
    }
}

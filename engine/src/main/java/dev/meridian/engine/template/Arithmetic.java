package dev.meridian.engine.template;

import java.math.BigDecimal;

/** Python's numbers: 64-bit integers, whose overflow is an error here, and doubles. Booleans count as 0 and 1. */
final class Arithmetic {
    private Arithmetic() {}

    static boolean isInteger(Value value) {
        return value instanceof Value.Int || value instanceof Value.Bool;
    }

    static boolean isNumber(Value value) {
        return isInteger(value) || value instanceof Value.Real;
    }

    static long integer(Value value) {
        return switch (value) {
            case Value.Int(long number) -> number;
            case Value.Bool bool -> bool == Value.Bool.TRUE ? 1 : 0;
            case Value.Undefined(String reason) -> throw new TemplateException(reason);
            default -> throw new TemplateException("expected an integer, got " + Sequences.typeName(value));
        };
    }

    static int smallInteger(Value value) {
        return Math.clamp(integer(value), Integer.MIN_VALUE, Integer.MAX_VALUE);
    }

    static double real(Value value) {
        return value instanceof Value.Real(double number) ? number : integer(value);
    }

    static int compareNumbers(Value left, Value right) {
        if (isInteger(left) && isInteger(right)) {
            return Long.compare(integer(left), integer(right));
        }
        double a = real(left);
        double b = real(right);
        if (Double.isFinite(a) && Double.isFinite(b)) {
            return exact(left, a).compareTo(exact(right, b));
        }
        // A NaN differs from all, itself included; there is no order, and "greater" is as wrong as any.
        return Double.isNaN(a) || Double.isNaN(b) ? 1 : Double.compare(a, b);
    }

    private static BigDecimal exact(Value value, double asReal) {
        return isInteger(value) ? BigDecimal.valueOf(integer(value)) : new BigDecimal(asReal);
    }

    static Value sign(String operator, Value operand) {
        boolean negative = operator.equals("-");
        if (operand instanceof Value.Real(double number)) {
            return new Value.Real(negative ? -number : number);
        }
        return new Value.Int(negative ? exactly(() -> Math.negateExact(integer(operand))) : integer(operand));
    }

    static Value compute(String operator, Value left, Value right) {
        for (Value operand : new Value[] {left, right}) {
            if (operand instanceof Value.Undefined(String reason)) {
                throw new TemplateException(reason);
            }
        }
        if (!isNumber(left) || !isNumber(right)) {
            throw new TemplateException("unsupported operand types for " + operator + ": " + Sequences.typeName(left)
                    + " and " + Sequences.typeName(right));
        }
        boolean integers = isInteger(left) && isInteger(right);
        if (integers && operator.equals("**") && integer(right) >= 0) {
            return new Value.Int(power(integer(left), integer(right)));
        }
        return integers && !operator.equals("/") && !operator.equals("**")
                ? new Value.Int(integers(operator, integer(left), integer(right)))
                : new Value.Real(reals(operator, real(left), real(right)));
    }

    private static long integers(String operator, long a, long b) {
        return switch (operator) {
            case "+" -> exactly(() -> Math.addExact(a, b));
            case "-" -> exactly(() -> Math.subtractExact(a, b));
            case "*" -> exactly(() -> Math.multiplyExact(a, b));
            case "//" -> exactly(() -> Math.floorDivExact(a, b));
            case "%" -> exactly(() -> Math.floorMod(a, b));
            default -> throw new IllegalStateException(operator);
        };
    }

    private static double reals(String operator, double a, double b) {
        if (b == 0 && (operator.equals("/") || operator.equals("//") || operator.equals("%"))) {
            throw new TemplateException("division by zero");
        }
        return switch (operator) {
            case "+" -> a + b;
            case "-" -> a - b;
            case "*" -> a * b;
            case "/" -> a / b;
            case "//" -> Math.floor(a / b);
            case "%" -> floorMod(a, b);
            case "**" -> Math.pow(a, b);
            default -> throw new IllegalStateException(operator);
        };
    }

    private static double floorMod(double a, double b) {
        double rest = a % b;
        return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest == 0 ? Math.copySign(0.0, b) : rest;
    }

    private static long power(long base, long exponent) {
        long result = 1;
        long factor = base;
        for (long left = exponent; left > 0; left >>= 1) {
            if ((left & 1) == 1) {
                long by = factor;
                long soFar = result;
                result = exactly(() -> Math.multiplyExact(soFar, by));
            }
            if (left > 1) {
                long squared = factor;
                factor = exactly(() -> Math.multiplyExact(squared, squared));
            }
        }
        return result;
    }

    private static long exactly(java.util.function.LongSupplier computation) {
        try {
            return computation.getAsLong();
        } catch (ArithmeticException e) {
            throw new TemplateException(
                    "/ by zero".equals(e.getMessage()) ? "division by zero" : "an integer of more than 64 bits");
        }
    }
}

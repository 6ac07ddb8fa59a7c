package dev.meridian.engine.template;

/** A filter, a global function or a method. A filter's first argument is its input. */
@FunctionalInterface
interface Builtin {
    Value call(Context context, Args args);
}

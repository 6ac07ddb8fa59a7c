package dev.meridian.unmarked;

/** Its package has no {@code package-info}. */
public interface InUnmarkedPackage {}

package dev.bobbin.unmarked;

/// Breaks the rules on purpose: its package says nothing of itself.
public final class PlantedUnmarked {}

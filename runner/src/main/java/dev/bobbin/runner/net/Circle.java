package dev.bobbin.runner.net;

/// Sandboxes that reach one another: those of one tenant with the same project.
record Circle(String tenant, String project) {}

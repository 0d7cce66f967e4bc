package dev.bobbin.runner.net.dns;

/// What is asked about a name.
record Question(DomainName name, int type, int dnsClass) {}

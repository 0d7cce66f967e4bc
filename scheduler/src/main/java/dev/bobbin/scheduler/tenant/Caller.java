package dev.bobbin.scheduler.tenant;

import java.util.EnumSet;
import java.util.Set;

/// Who makes a request, and what they may do.
public record Caller(Tenant tenant, Set<Scope> scopes) {
    /// Whoever can open a Unix socket that only its owner may open.
    public static final Caller LOCAL = new Caller(Tenant.DEFAULT, EnumSet.allOf(Scope.class));

    /// Anybody on the loopback interface while there are no tokens.
    public static final Caller ANYBODY = new Caller(Tenant.DEFAULT, EnumSet.of(Scope.READ, Scope.RUN));

    /// Somebody who may only ask how this server is.
    public static final Caller NOBODY = new Caller(Tenant.DEFAULT, EnumSet.noneOf(Scope.class));

    public Caller {
        scopes = Set.copyOf(scopes);
    }

    public boolean may(Scope scope) {
        return scopes.contains(scope) || scopes.contains(Scope.ADMIN);
    }

    /// Whether what `owner` owns exists for this caller.
    public boolean sees(String owner) {
        return tenant.name().equals(owner) || scopes.contains(Scope.ADMIN);
    }
}

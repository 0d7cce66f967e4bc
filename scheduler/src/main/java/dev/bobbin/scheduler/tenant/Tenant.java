package dev.bobbin.scheduler.tenant;

import java.util.regex.Pattern;

/// An owner of jobs. What one tenant owns does not exist for another.
public record Tenant(String name) {
    private static final Pattern NAME = Pattern.compile("[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?");

    /// Owns everything as long as nobody has told tenants apart.
    public static final Tenant DEFAULT = new Tenant("default");

    public Tenant {
        if (!NAME.matcher(name).matches()) {
            throw new IllegalArgumentException(
                    "tenant: has 1 to 63 lower-case letters, digits and hyphens, and no hyphen at either end");
        }
    }
}

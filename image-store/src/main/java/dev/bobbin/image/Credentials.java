package dev.bobbin.image;

/// What a registry is shown to be let in. None of them prints its secret.
public sealed interface Credentials {
    /// Nobody in particular; also not whom this machine's credential files name.
    Credentials ANONYMOUS = new Anonymous();

    /// See [#ANONYMOUS].
    record Anonymous() implements Credentials {}

    /// A name and its password, or an access token in place of one.
    record Password(String user, String password) implements Credentials {
        public Password {
            if (user.isEmpty() || user.indexOf(':') >= 0) {
                throw new IllegalArgumentException("a user name is not empty and has no colon");
            }
        }

        @Override
        public String toString() {
            return "Password[user=" + user + "]";
        }
    }

    /// A lasting token that a registry's token server exchanges for short-lived ones.
    record IdentityToken(String token) implements Credentials {
        @Override
        public String toString() {
            return "IdentityToken[]";
        }
    }

    /// A token that the registry takes as it is.
    record RegistryToken(String token) implements Credentials {
        public RegistryToken {
            if (token.isEmpty() || !token.chars().allMatch(c -> c > ' ' && c < 0x7f)) {
                throw new IllegalArgumentException("a token is not empty and has no spaces");
            }
        }

        @Override
        public String toString() {
            return "RegistryToken[]";
        }
    }
}

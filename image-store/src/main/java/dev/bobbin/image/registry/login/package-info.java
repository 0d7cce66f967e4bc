/// Who one is to a registry: the credential files and helper programs that docker and podman share, the challenges of
/// registries, and the tokens of their token servers. No secret is logged, printed or put into a message, and none is
/// shown to a host but the registry's own, one above or below it in the same domain, or one that was configured.
@NullMarked
package dev.bobbin.image.registry.login;

import org.jspecify.annotations.NullMarked;

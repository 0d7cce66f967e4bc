/// The store as a read-only registry: the pulling half of the OCI distribution specification below `/v2/`, for skopeo,
/// docker, podman, containerd and other Bobbins. [dev.bobbin.scheduler.http.registry.Registry] has the routes.
@NullMarked
package dev.bobbin.scheduler.http.registry;

import org.jspecify.annotations.NullMarked;

/// The client of image registries: resolves a name to a manifest for a platform, streams verified blobs, lists tags,
/// pushes. `Registries` is its door; it knows neither the store nor the archives.
///
/// Registries are strangers. What they say is bounded and verified, and what they refer to (realms, redirects, upload
/// locations, layer URLs) is judged before a connection is made: `registry.wire` connects only to addresses that were
/// checked, `registry.login` decides who is shown credentials.
@NullMarked
package dev.bobbin.image.registry;

import org.jspecify.annotations.NullMarked;

package dev.bobbin.image.store;

import dev.bobbin.image.archive.ExtractionLimits;
import dev.bobbin.image.registry.RegistryConfig;

/// How images are kept and where they come from.
///
/// @param hostImage whether the built-in image `host` is offered; off for machines with many tenants
/// @param registries how registries are spoken to
/// @param extraction what one layer may hold
public record StoreConfig(boolean hostImage, RegistryConfig registries, ExtractionLimits extraction) {
    public static final StoreConfig DEFAULT =
            new StoreConfig(true, RegistryConfig.defaults(), ExtractionLimits.DEFAULT);

    public StoreConfig withHostImage(boolean offered) {
        return new StoreConfig(offered, registries, extraction);
    }

    public StoreConfig withRegistries(RegistryConfig newRegistries) {
        return new StoreConfig(hostImage, newRegistries, extraction);
    }

    public StoreConfig withExtraction(ExtractionLimits newExtraction) {
        return new StoreConfig(hostImage, registries, newExtraction);
    }
}

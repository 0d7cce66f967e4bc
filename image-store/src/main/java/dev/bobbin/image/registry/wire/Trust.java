package dev.bobbin.image.registry.wire;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;

/// Whose certificates are believed: those the JDK trusts, and for named hosts those of a further authority.
/// Verification is never switched off.
final class Trust {
    private final Map<String, Path> authorities;
    private final Map<String, SSLContext> contexts = new ConcurrentHashMap<>();

    Trust(Map<String, Path> authorities) {
        this.authorities = authorities;
    }

    SSLContext context(Origin origin) throws IOException {
        var name = authorities.containsKey(origin.authority()) ? origin.authority() : origin.host();
        var file = authorities.get(name);
        var known = contexts.get(file == null ? "" : name);
        if (known != null) {
            return known;
        }
        try {
            var made = make(file);
            contexts.put(file == null ? "" : name, made);
            return made;
        } catch (GeneralSecurityException | IOException e) {
            throw new IOException("read the certificates trusted for " + origin, e);
        }
    }

    private static SSLContext make(@Nullable Path file) throws GeneralSecurityException, IOException {
        var context = SSLContext.getInstance("TLS");
        if (file == null) {
            context.init(null, null, null);
            return context;
        }
        var trusted = KeyStore.getInstance(KeyStore.getDefaultType());
        trusted.load(null, null);
        var count = 0;
        for (var manager : managers(null).getTrustManagers()) {
            if (manager instanceof X509TrustManager known) {
                for (var certificate : known.getAcceptedIssuers()) {
                    trusted.setCertificateEntry("jdk-" + count++, certificate);
                }
            }
        }
        try (var in = Files.newInputStream(file)) {
            for (var certificate : CertificateFactory.getInstance("X.509").generateCertificates(in)) {
                trusted.setCertificateEntry("own-" + count++, certificate);
            }
        }
        context.init(null, managers(trusted).getTrustManagers(), null);
        return context;
    }

    private static TrustManagerFactory managers(@Nullable KeyStore store) throws GeneralSecurityException {
        var factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(store);
        return factory;
    }
}

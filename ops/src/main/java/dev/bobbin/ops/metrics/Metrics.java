package dev.bobbin.ops.metrics;

import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.system.FileDescriptorMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.lang.management.ManagementFactory;
import java.util.concurrent.TimeUnit;

/// The registry of this process and its exposition. What the parts of Bobbin count is theirs to register; the numbers
/// of the JVM and the process are added here.
public final class Metrics implements HttpService, AutoCloseable {
    private static final String TEXT = "text/plain; version=0.0.4; charset=utf-8";
    private static final String OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8";

    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final JvmGcMetrics collections = new JvmGcMetrics();

    public MeterRegistry registry() {
        return registry;
    }

    /// Adds the numbers of the JVM and the process. Takes a tenth of a second the first time, since it starts the JVM's
    /// management, so it is no part of a start.
    public void watchProcess() {
        new JvmMemoryMetrics().bindTo(registry);
        collections.bindTo(registry);
        new ProcessorMetrics().bindTo(registry);
        new FileDescriptorMetrics().bindTo(registry);
        new UptimeMetrics().bindTo(registry);
        var threads = ManagementFactory.getThreadMXBean();
        Gauge.builder("jvm.threads.live", threads, bean -> bean.getThreadCount())
                .description("Platform threads")
                .register(registry);
        FunctionCounter.builder(
                        "jvm.compilation.time",
                        ManagementFactory.getCompilationMXBean(),
                        bean -> (double) bean.getTotalCompilationTime() / TimeUnit.SECONDS.toMillis(1))
                .baseUnit("seconds")
                .register(registry);
    }

    @Override
    public void routing(HttpRules rules) {
        rules.get("/metrics", this::scrape);
    }

    @Override
    public void close() {
        collections.close();
        registry.close();
    }

    private void scrape(ServerRequest request, ServerResponse response) throws java.io.IOException {
        var accepted = request.headers().value(HeaderNames.ACCEPT).orElse("");
        var format = accepted.contains("application/openmetrics-text") ? OPEN_METRICS : TEXT;
        response.header(HeaderNames.CONTENT_TYPE, format);
        try (var out = response.outputStream()) {
            registry.scrape(out, format);
        }
    }
}

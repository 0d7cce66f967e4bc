package dev.bobbin.scheduler.http.v1;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.bobbin.runner.Cidr;
import dev.bobbin.runner.Execution;
import dev.bobbin.runner.Network;
import dev.bobbin.runner.host.LastingSandbox;
import java.io.IOException;
import java.net.Inet4Address;
import java.util.Optional;

/// A sandbox's network as JSON.
final class NetworkJson {
    private NetworkJson() {}

    /// `"network": {…}` of a sandbox that lasts; with its addresses, and the ports that were chosen, while it runs.
    static void write(JsonGenerator json, LastingSandbox sandbox) throws IOException {
        json.writeObjectFieldStart("network");
        switch (sandbox.network()) {
            case Network.None _ -> json.writeStringField("mode", "none");
            case Network.Host _ -> json.writeStringField("mode", "host");
            case Network.Bridge bridge -> write(json, bridge, sandbox.address(), sandbox.gateway());
        }
        json.writeEndObject();
    }

    /// `"network": {…}` of a job with a bridge, else nothing.
    static void write(JsonGenerator json, Execution job) throws IOException {
        var attachment = job.attachment();
        if (attachment.isPresent()) {
            var place = attachment.get();
            json.writeObjectFieldStart("network");
            write(json, place.bridge(), Optional.of(place.address()), Optional.of(place.gateway()));
            json.writeEndObject();
        }
    }

    private static void write(
            JsonGenerator json, Network.Bridge bridge, Optional<Inet4Address> address, Optional<Inet4Address> gateway)
            throws IOException {
        json.writeStringField("mode", "bridge");
        if (address.isPresent()) {
            json.writeStringField("address", address.get().getHostAddress());
        }
        if (gateway.isPresent()) {
            json.writeStringField("gateway", gateway.get().getHostAddress());
        }
        write(json, bridge);
    }

    private static void write(JsonGenerator json, Network.Bridge bridge) throws IOException {
        if (bridge.project() != null) {
            json.writeStringField("project", bridge.project());
            json.writeArrayFieldStart("aliases");
            for (var alias : bridge.aliases()) {
                json.writeString(alias);
            }
            json.writeEndArray();
        }
        egress(json, bridge.egress());
        json.writeArrayFieldStart("ports");
        for (var port : bridge.ports()) {
            json.writeStartObject();
            json.writeNumberField("port", port.port());
            json.writeStringField("protocol", port.protocol().word());
            json.writeStringField("host_address", port.hostAddress().getHostAddress());
            json.writeNumberField("host_port", port.hostPort());
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private static void egress(JsonGenerator json, Network.Egress egress) throws IOException {
        json.writeObjectFieldStart("egress");
        json.writeBooleanField("internet", egress.internet());
        json.writeArrayFieldStart("allow");
        for (Cidr range : egress.allowed()) {
            json.writeString(range.toString());
        }
        json.writeEndArray();
        json.writeArrayFieldStart("names");
        for (var name : egress.names()) {
            json.writeString(name);
        }
        json.writeEndArray();
        json.writeEndObject();
    }
}

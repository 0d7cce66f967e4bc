package dev.bobbin.runner.build;

import dev.bobbin.runner.Network;

/// What a command may reach.
final class Networks {
    private Networks() {}

    static Network of(Step.Run step, BuildOrder order) {
        var network = switch (step.network()) {
            case DEFAULT -> order.network();
            case NONE -> Network.NONE;
            case HOST -> new Network.Host();
        };
        if (network instanceof Network.Host && !order.hostNetwork()) {
            throw new BuildException(
                    BuildException.Problem.RECIPE, step.line(), "this machine's own network is not for this build");
        }
        return network;
    }
}

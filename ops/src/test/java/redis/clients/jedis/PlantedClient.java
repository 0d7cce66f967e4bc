package redis.clients.jedis;

/// Stands for Jedis in the tests of the walls.
public final class PlantedClient {
    private PlantedClient() {}

    public static void connect() {}
}

/*
 * Feeds changed frames and orders to both decoders: frame-fuzz SEED ROUNDS. Built with sanitizers, which end it on a
 * finding; it also checks what a decoder says of itself. The same seed gives the same rounds.
 */
#include "journal.h"
#include "order.h"
#include "sandbox.h"

#include <linux/filter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state;

static uint32_t chance(uint32_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 11) % below;
}

static void found(const char *what)
{
    fprintf(stderr, "frame-fuzz: %s\n", what);
    exit(1);
}

static void put_noise(struct buffer *out, uint16_t tag, uint32_t longest)
{
    uint8_t bytes[256];
    uint32_t length = chance(longest + 1);
    for (uint32_t i = 0; i < length; i++) bytes[i] = (uint8_t)(chance(8) ? 'a' + chance(26) : chance(256));
    put_bytes(out, tag, bytes, length);
}

static void put_mount(struct buffer *out)
{
    static const char volume[] = "\1\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0" "01234567-89ab-7def-8123-456789abcdef\0/v";
    static const char bind[] = "\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0/srv\0a/b\0/b";
    static const char tmpfs[] = "\3\0\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0/t";
    switch (chance(3)) {
    case 0: put_bytes(out, FIELD_MOUNT, volume, sizeof volume); break;
    case 1: put_bytes(out, FIELD_MOUNT, bind, sizeof bind); break;
    default: put_bytes(out, FIELD_MOUNT, tmpfs, sizeof tmpfs);
    }
}

/* A valid order, with some of everything. */
static void put_order(struct buffer *out)
{
    size_t start = frame_open(out, FRAME_ORDER);
    put_text(out, FIELD_META, "{}");
    bool lasting = chance(3) == 0;
    if (lasting) put_bytes(out, FIELD_LASTING, "", 0);
    for (uint32_t i = chance(4) + !lasting; i > 0; i--) put_text(out, FIELD_ARGUMENT, "echo");
    if (chance(4) == 0) put_text(out, FIELD_EXEC, "01234567-89ab-7def-8123-456789abcdef");
    for (uint32_t i = chance(4); i > 0; i--) put_text(out, FIELD_ENVIRONMENT, "A=b");
    for (uint32_t i = chance(3) + 1; i > 0; i--) put_text(out, FIELD_LAYER, "a/b..c/d");
    for (uint32_t i = chance(3); i > 0; i--) put_u32(out, FIELD_GROUP, chance(65536));
    for (uint32_t i = chance(3); i > 0; i--) put_text(out, FIELD_CGROUP_WRITE,
                                                      "memory\nmemory.limit_in_bytes\n1000000");
    for (uint32_t i = chance(3); i > 0; i--) put_text(out, FIELD_CGROUP_READ, "memory\nmemory.usage_in_bytes");
    for (uint32_t i = chance(3); i > 0; i--) put_bytes(out, FIELD_FILE, "\0\0\0\0\3\0\0\0a/bcontent", 18);
    for (uint32_t i = chance(3); i > 0; i--) put_bytes(out, FIELD_RLIMIT, "\1\0\0\0\1\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0",
                                                       20);
    for (uint32_t i = chance(3); i > 0; i--) put_mount(out);
    for (uint32_t i = chance(3); i > 0; i--) put_text(out, FIELD_SYSCTL, "net.core.somaxconn=1024");
    if (chance(2)) put_u64(out, FIELD_CAPABILITIES, chance(2) ? UINT64_MAX : 1U << 19);
    if (chance(2)) put_bytes(out, FIELD_NEW_PRIVILEGES, "", 0);
    if (chance(2)) put_bytes(out, FIELD_OWN_NETWORK, "", 0);
    if (chance(2)) put_bytes(out, FIELD_NETWORK, "\12\200\0\5\12\200\0\1", 8);
    if (chance(2)) put_noise(out, FIELD_HOSTS, 100);
    if (chance(2)) put_noise(out, FIELD_RESOLVERS, 100);
    if (chance(8) == 0) put_noise(out, FIELD_FILTER, 200);
    if (chance(2)) put_bytes(out, FIELD_FILTER, "\6\0\0\0\0\0\377\177", 8);
    put_text(out, FIELD_WORKDIR, "/work");
    put_u32(out, FIELD_UID, chance(65536));
    put_u32(out, FIELD_STDIN_POLICY, STDIN_BYTES);
    put_u64(out, FIELD_TIME_MILLIS, chance(1000));
    if (chance(2)) put_noise(out, (uint16_t)chance(80), 200);
    if (chance(2)) put_noise(out, FIELD_DATA, 200);
    frame_close(out, start);
}

static void mutate(struct buffer *out)
{
    static const uint8_t telling[] = {0, 1, 7, 8, 127, 128, 255};
    for (uint32_t i = chance(6); i > 0; i--) {
        uint32_t at = chance((uint32_t)out->length);
        switch (chance(4)) {
        case 0: out->data[at] = (uint8_t)chance(256); break;
        case 1: out->data[at] ^= (uint8_t)(1 << chance(8)); break;
        case 2: out->data[at] = telling[chance(sizeof telling)]; break;
        case 3:
            if (out->length - at >= 4) store_u32(out->data + at, chance(3) ? chance(300) : UINT32_MAX - chance(20));
            break;
        }
    }
    if (chance(8) == 0) out->length = chance((uint32_t)out->length + 1);
}

/* Reads every string to its end, where a missing NUL would be a finding. */
static void use(const struct order *order)
{
    size_t bytes = 0;
    char **const texts[] = {order->arguments, order->environment, order->layers, order->cgroup_writes,
            order->cgroup_reads, order->sysctls};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        for (char **each = texts[i]; *each; each++) bytes += strlen(*each);
    for (char **layer = order->layers; *layer; layer++)
        if (**layer == '/' || strcmp(*layer, "..") == 0 || strncmp(*layer, "../", 3) == 0 || strstr(*layer,
                "/../")) found("a layer that leads out");
    for (size_t i = 0; i < order->file_count; i++) bytes += crc32c(0, order->files[i].content.data,
                                                                   order->files[i].content.length);
    if (order->mount_count > MOUNTS_MOST) found("more mounts than there may be");
    for (size_t i = 0; i < order->mount_count; i++) {
        const struct order_mount *each = &order->mounts[i];
        bytes += strlen(each->base) + strlen(each->source) + strlen(each->target);
        if (*each->target != '/' || (each->kind == MOUNT_VOLUME && strpbrk(each->source, "/."))
            || (each->kind == MOUNT_BIND && (*each->base != '/' || *each->source == '/')))
            found("a mount that leads somewhere");
    }
    if (order->network.length != 0 && order->network.length != 8) found("an address of another length");
    bytes += crc32c(0, order->network.data, order->network.length) + crc32c(0, order->hosts.data, order->hosts.length)
        + crc32c(0, order->resolvers.data, order->resolvers.length);
    size_t filter = order->filter.instructions * sizeof(struct sock_filter);
    if (filter) bytes += crc32c(0, order->filter.program, filter);
    if (order->workdir) bytes += strlen(order->workdir);
    if (order->hostname) bytes += strlen(order->hostname);
    if ((order->argument_count == 0 && !order->lasting) || order->uid > 65535
        || order->gid > 65535) found("an order that should have been refused");
    /* Without a command there is no process that an excerpt would be for. */
    if (order->argument_count == 0) return;
    struct buffer excerpt = {0};
    struct order again;
    struct failure failure;
    order_excerpt(order, &excerpt);
    if (order_read((struct slice){excerpt.data, (uint32_t)excerpt.length}, &again,
                   &failure) < 0) found("an excerpt that cannot be read");
    if (again.argument_count != order->argument_count
        || again.uid != order->uid || again.filter.instructions != order->filter.instructions
        || (filter && memcmp(again.filter.program, order->filter.program, filter) != 0))
        found("an excerpt that says something else");
    order_release(&again);
    buffer_release(&excerpt);
    if (bytes == SIZE_MAX) found("impossible");
}

static bool round_of(void)
{
    struct buffer out = {0};
    put_order(&out);
    mutate(&out);
    /* An exact copy, so that reading one byte too far is seen. */
    size_t length = out.length;
    uint8_t *exact = malloc(length ? length : 1);
    memcpy(exact, out.data, length);
    buffer_release(&out);
    struct frame frame;
    long taken = frame_read(exact, length, &frame);
    if (taken > (long)length) found("a frame longer than its bytes");
    struct order order;
    struct failure failure;
    bool read = taken > 0 && order_read(frame.body, &order, &failure) == 0;
    if (read) {
        use(&order);
        order_release(&order);
    }
    struct field field;
    if (taken > 0) field_find(frame.body, FIELD_UID, &field);
    if (taken > 0 && field_find(frame.body, FIELD_EXEC, &field) == 1
        && is_id(field.value.data, field.value.length) && memchr(field.value.data, '/', field.value.length))
        found("an id that leads somewhere");
    free(exact);
    return read;
}

static void check_crc(void)
{
    static uint8_t bytes[70000];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)chance(256);
    if (crc32c(0, (const uint8_t *)"123456789", 9) != 0xE3069283U) found("a CRC32C that is not the published one");
    for (size_t length = 0; length < sizeof bytes; length += length < 300 ? 1 : 1 + chance(997))
        if (crc32c(7, bytes, length) != crc32c_portable(7, bytes, length)) found("two CRC32Cs that differ");
}

int main(int count, char **arguments)
{
    uint64_t seed = count > 1 ? strtoull(arguments[1], NULL, 0) : 1, rounds = count > 2 ? strtoull(arguments[2], NULL,
            0) : 100000, read = 0;
    printf("seed %llu\n", (unsigned long long)seed);
    fflush(stdout);
    state = seed * 0x9E3779B97F4A7C15ULL + 1;
    check_crc();
    for (uint64_t i = 0; i < rounds; i++) read += round_of();
    printf("%llu rounds, %llu orders understood\n", (unsigned long long)rounds, (unsigned long long)read);
    return read == 0 && rounds > 1000;
}

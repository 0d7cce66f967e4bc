/*
 * Decodes an ORDER in two passes over a copy of the frame: one counts the repeated fields, so that all arrays come
 * from one allocation; one fills them. Texts are ended in place: the byte behind a text is the first of the next
 * header, which has been read by then, or the spare byte at the end of the copy.
 */
#include "order.h"
#include "sandbox.h"

#include <linux/filter.h>
#include <stdlib.h>
#include <string.h>

#define IDS_INSIDE 65536
#define PATH_LONGEST 4095

static size_t *count_of(struct order *order, uint16_t tag)
{
    switch (tag) {
    case FIELD_ARGUMENT: return &order->argument_count;
    case FIELD_ENVIRONMENT: return &order->environment_count;
    case FIELD_LAYER: return &order->layer_count;
    case FIELD_CGROUP_WRITE: return &order->cgroup_write_count;
    case FIELD_CGROUP_READ: return &order->cgroup_read_count;
    case FIELD_SYSCTL: return &order->sysctl_count;
    case FIELD_GROUP: return &order->group_count;
    case FIELD_FILE: return &order->file_count;
    case FIELD_RLIMIT: return &order->limit_count;
    case FIELD_MOUNT: return &order->mount_count;
    default: return NULL;
    }
}

static bool is_text(const struct slice *value)
{
    return memchr(value->data, 0, value->length) == NULL;
}

static bool parse_file(const struct slice *value, struct input_file *file)
{
    if (value->length < 8) return false;
    uint32_t length = load_u32(value->data + 4);
    if (length == 0 || length > value->length - 8 || length > PATH_LONGEST) return false;
    file->mode = load_u32(value->data) & 07777;
    file->path = (struct slice){value->data + 8, length};
    file->content = (struct slice){value->data + 8 + length, value->length - 8 - length};
    return is_text(&file->path);
}

static bool parse_limit(const struct slice *value, struct limit *limit)
{
    if (value->length != 20) return false;
    *limit = (struct limit){load_u32(value->data), load_u64(value->data + 4), load_u64(value->data + 12)};
    return true;
}

static bool parse_id(const struct field *field, uint32_t *id)
{
    return field_u32(field, id) && *id < IDS_INSIDE;
}

/* A layer is named below the store and can never lead out of it. */
static bool parse_layer(const struct slice *value, char **layer)
{
    if (value->length == 0 || value->length > PATH_LONGEST || value->data[0] == '/' || !is_text(value)) return false;
    *layer = (char *)value->data;
    for (uint32_t start = 0, i = 0; i <= value->length; i++) {
        if (i < value->length && value->data[i] != '/') continue;
        if (i - start == 2 && memcmp(value->data + start, "..", 2) == 0) return false;
        start = i + 1;
    }
    return true;
}

static bool parse_text(const struct slice *value, char **text)
{
    *text = (char *)value->data;
    return is_text(value);
}

/* The next of a mount's texts, which its NUL ends within the value. */
static const char *take_text(struct slice *rest)
{
    uint8_t *text = rest->data, *end = rest->length ? memchr(text, 0, rest->length) : NULL;
    if (!end || end - text > PATH_LONGEST) return NULL;
    rest->length -= (uint32_t)(end + 1 - text);
    rest->data = end + 1;
    return (const char *)text;
}

static bool parse_mount(const struct slice *value, struct order_mount *mount)
{
    if (value->length < 16) return false;
    *mount = (struct order_mount){
        .kind = load_u32(value->data), .flags = load_u32(value->data + 4), .bytes = load_u64(value->data + 8)};
    struct slice rest = {value->data + 16, value->length - 16};
    if (!(mount->base = take_text(&rest)) || !(mount->source = take_text(&rest))
        || !(mount->target = take_text(&rest)) || rest.length != 0 || *mount->target != '/')
        return false;
    switch (mount->kind) {
    case MOUNT_VOLUME: return is_id((const uint8_t *)mount->source, (uint32_t)strlen(mount->source));
    case MOUNT_BIND: return *mount->base == '/' && *mount->source != '/';
    case MOUNT_TMPFS: return mount->bytes > 0;
    default: return false;
    }
}

static bool parse_filter(const struct slice *value, struct filter *filter)
{
    size_t instructions = value->length / sizeof(struct sock_filter);
    *filter = (struct filter){value->data, (uint16_t)instructions};
    return instructions > 0 && instructions <= BPF_MAXINSNS && value->length % sizeof(struct sock_filter) == 0;
}

/* One field into its place; the counts run up again from zero as the arrays fill. */
static bool take(struct order *order, const struct field *field)
{
    const struct slice *value = &field->value;
    switch (field->tag) {
    case FIELD_META: order->meta = *value; return true;
    case FIELD_DATA: order->input = *value; return true;
    case FIELD_ARGUMENT: return parse_text(value, &order->arguments[order->argument_count++]);
    case FIELD_ENVIRONMENT: return parse_text(value, &order->environment[order->environment_count++]);
    case FIELD_LAYER: return parse_layer(value, &order->layers[order->layer_count++]);
    case FIELD_CGROUP_WRITE: return parse_text(value, &order->cgroup_writes[order->cgroup_write_count++]);
    case FIELD_CGROUP_READ: return parse_text(value, &order->cgroup_reads[order->cgroup_read_count++]);
    case FIELD_SYSCTL: return parse_text(value, &order->sysctls[order->sysctl_count++]);
    case FIELD_FILE: return parse_file(value, &order->files[order->file_count++]);
    case FIELD_RLIMIT: return parse_limit(value, &order->limits[order->limit_count++]);
    case FIELD_MOUNT: return parse_mount(value, &order->mounts[order->mount_count++]);
    case FIELD_GROUP: return parse_id(field, &order->groups[order->group_count++]);
    case FIELD_UID: return parse_id(field, &order->uid);
    case FIELD_GID: return parse_id(field, &order->gid);
    case FIELD_WORKDIR:
        return value->length > 0 && value->length <= PATH_LONGEST && value->data[0] == '/'
            && parse_text(value, &order->workdir);
    case FIELD_HOSTNAME: return value->length > 0 && value->length <= 64 && parse_text(value, &order->hostname);
    case FIELD_NETWORK: order->network = *value; return value->length == 8;
    case FIELD_HOSTS: order->hosts = *value; return true;
    case FIELD_RESOLVERS: order->resolvers = *value; return true;
    case FIELD_CAPABILITIES: return field_u64(field, &order->rights.capabilities);
    case FIELD_NEW_PRIVILEGES: order->rights.new_privileges = true; return true;
    case FIELD_OWN_NETWORK: order->rights.own_network = true; return true;
    case FIELD_FILTER: return parse_filter(value, &order->filter);
    case FIELD_HOST_TREES: order->host_trees = true; return true;
    case FIELD_ROWS: return field_u32(field, &order->rows) && order->rows > 0 && order->rows <= UINT16_MAX;
    case FIELD_COLUMNS: return field_u32(field, &order->columns) && order->columns > 0 && order->columns <= UINT16_MAX;
    case FIELD_TERMINAL: return field_u32(field, &order->terminal);
    case FIELD_LASTING: order->lasting = true; return true;
    case FIELD_FILES: order->on_files = true; return true;
    case FIELD_VOLATILE: order->is_volatile = true; return true;
    case FIELD_DISK_BYTES: return field_u64(field, &order->disk_bytes);
    case FIELD_DISK_INODES: return field_u64(field, &order->disk_inodes);
    case FIELD_TIME_MILLIS: return field_u64(field, &order->time_millis);
    case FIELD_OUTPUT_BYTES: return field_u64(field, &order->output_bytes);
    case FIELD_ORPHAN_MILLIS: return field_u64(field, &order->orphan_millis);
    case FIELD_OUTPUT_POLICY:
        return field_u32(field, &order->output_policy) && order->output_policy >= OUTPUT_BLOCK
            && order->output_policy <= OUTPUT_DROP;
    case FIELD_STDIN_POLICY:
        return field_u32(field, &order->stdin_policy) && order->stdin_policy >= STDIN_EMPTY
            && order->stdin_policy <= STDIN_OPEN;
    default: return true;
    }
}

static void *carve(uint8_t **memory, size_t size)
{
    void *at = *memory;
    *memory += (size + 7) / 8 * 8;
    return at;
}

/* Arrays for the counted fields, texts with room for their NULL; the counts are zero again afterwards. */
static bool make_arrays(struct order *order)
{
    size_t texts = order->argument_count + order->environment_count + order->layer_count + order->cgroup_write_count
        + order->cgroup_read_count + order->sysctl_count + 6;
    uint8_t *memory = calloc(1, texts * sizeof(char *) + order->group_count * sizeof(gid_t) + 8
        + order->file_count * sizeof(struct input_file) + order->limit_count * sizeof(struct limit)
        + order->mount_count * sizeof(struct order_mount));
    if (!memory) return false;
    order->arrays = memory;
    order->arguments = carve(&memory, (order->argument_count + 1) * sizeof(char *));
    order->environment = carve(&memory, (order->environment_count + 1) * sizeof(char *));
    order->layers = carve(&memory, (order->layer_count + 1) * sizeof(char *));
    order->cgroup_writes = carve(&memory, (order->cgroup_write_count + 1) * sizeof(char *));
    order->cgroup_reads = carve(&memory, (order->cgroup_read_count + 1) * sizeof(char *));
    order->sysctls = carve(&memory, (order->sysctl_count + 1) * sizeof(char *));
    order->files = carve(&memory, order->file_count * sizeof(struct input_file));
    order->limits = carve(&memory, order->limit_count * sizeof(struct limit));
    order->mounts = carve(&memory, order->mount_count * sizeof(struct order_mount));
    order->groups = carve(&memory, order->group_count * sizeof(gid_t));
    order->argument_count = order->environment_count = order->layer_count = order->cgroup_write_count = 0;
    order->cgroup_read_count = order->file_count = order->limit_count = order->group_count = 0;
    order->mount_count = order->sysctl_count = 0;
    return true;
}

static int decode(struct order *order, uint32_t length, struct failure *failure)
{
    struct slice rest = {order->body, length};
    struct field field;
    int more;
    while ((more = field_read(&rest, &field)) == 1) {
        size_t *count = count_of(order, field.tag);
        if (count) ++*count;
    }
    if (more < 0) return fail_as(failure, EBADMSG, "read the order's fields");
    if (order->mount_count > MOUNTS_MOST)
        return fail_as(failure, E2BIG, "mount %zu things, of which %d are allowed", order->mount_count, MOUNTS_MOST);
    if (!make_arrays(order)) return fail(failure, "make room for the order");
    rest = (struct slice){order->body, length};
    while (rest.length > 0) {
        uint8_t *header = rest.data;
        field_read(&rest, &field);
        *header = 0;
        if (!take(order, &field)) return fail_as(failure, EBADMSG, "read field %u of the order", field.tag);
    }
    order->body[length] = 0;
    if (order->argument_count == 0 ? !order->lasting : order->arguments[0][0] == 0)
        return fail_as(failure, EBADMSG, "find a command in the order");
    return 0;
}

int order_read(struct slice body, struct order *order, struct failure *failure)
{
    *order = (struct order){.output_policy = OUTPUT_BLOCK, .stdin_policy = STDIN_EMPTY};
    order->body = malloc((size_t)body.length + 1);
    if (!order->body) return fail(failure, "make room for the order");
    if (body.length) memcpy(order->body, body.data, body.length);
    if (decode(order, body.length, failure) == 0) return 0;
    order_release(order);
    return -1;
}

void order_release(struct order *order)
{
    free(order->body);
    free(order->arrays);
    *order = (struct order){0};
}

void order_excerpt(const struct order *order, struct buffer *buffer)
{
    for (size_t i = 0; i < order->argument_count; i++) put_text(buffer, FIELD_ARGUMENT, order->arguments[i]);
    for (size_t i = 0; i < order->environment_count; i++) put_text(buffer, FIELD_ENVIRONMENT, order->environment[i]);
    for (size_t i = 0; i < order->group_count; i++) put_u32(buffer, FIELD_GROUP, order->groups[i]);
    for (size_t i = 0; i < order->limit_count; i++) {
        uint8_t limit[20];
        store_u32(limit, order->limits[i].resource);
        store_u64(limit + 4, order->limits[i].soft);
        store_u64(limit + 12, order->limits[i].hard);
        put_bytes(buffer, FIELD_RLIMIT, limit, sizeof limit);
    }
    if (order->workdir) put_text(buffer, FIELD_WORKDIR, order->workdir);
    put_u32(buffer, FIELD_UID, order->uid);
    put_u32(buffer, FIELD_GID, order->gid);
    put_u32(buffer, FIELD_STDIN_POLICY, order->stdin_policy);
    if (order->terminal) put_u32(buffer, FIELD_TERMINAL, order->terminal);
    size_t filter = order->filter.instructions * sizeof(struct sock_filter);
    if (filter) put_bytes(buffer, FIELD_FILTER, order->filter.program, filter);
}

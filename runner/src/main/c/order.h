/*
 * An ORDER, decoded: everything about one job. Texts point into the order's own copy of the frame, which lives until
 * order_release(); arrays of texts end with NULL.
 */
#ifndef BOBBIN_ORDER_H
#define BOBBIN_ORDER_H

#include "error.h"
#include "filter.h"
#include "wire.h"

#include <sys/types.h>

struct input_file {
    uint32_t mode;
    struct slice path, content;
};

struct limit {
    uint32_t resource;
    uint64_t soft, hard;
};

/* What a process may that others may not. */
struct rights {
    uint64_t capabilities;
    bool new_privileges, own_network;
};

#define MOUNTS_MOST 32

struct order_mount {
    uint32_t kind, flags;
    uint64_t bytes;
    const char *base, *source, *target;
};

struct order {
    uint8_t *body;
    void *arrays;
    struct slice meta, input;
    char **arguments, **environment, **layers, **cgroup_writes, **cgroup_reads, **sysctls;
    size_t argument_count, environment_count, layer_count, cgroup_write_count, cgroup_read_count, sysctl_count;
    gid_t *groups;
    size_t group_count;
    struct input_file *files;
    size_t file_count;
    struct limit *limits;
    size_t limit_count;
    struct order_mount *mounts;
    size_t mount_count;
    struct rights rights;
    struct filter filter; /* of its own; its program is in `body` */
    char *workdir, *hostname;
    struct slice network, hosts, resolvers; /* of the first 0 or 8 bytes */
    uint32_t uid, gid, output_policy, stdin_policy, rows, columns; /* the last two 0: no terminal */
    uint32_t terminal; /* of the parked process: one more than its number, 0: none */
    uint64_t disk_bytes, disk_inodes, time_millis, output_bytes, orphan_millis; /* 0: not given */
    bool host_trees, lasting, on_files, is_volatile;
};

/* Takes a copy of `body`. An order that is refused leaves nothing to release. */
int order_read(struct slice body, struct order *order, struct failure *failure);
void order_release(struct order *order);

/* What the job's process needs of an order, as a body that order_read() understands again. */
void order_excerpt(const struct order *order, struct buffer *buffer);

#endif

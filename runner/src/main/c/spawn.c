/*
 * Makes one sandbox: its socket, journal and cgroups, then PID 1 in new namespaces. What cannot be completed is
 * undone.
 */
#include "nursery.h"
#include "sys.h"

#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

/* How far making a sandbox has come, so that exactly that can be undone. */
struct attempt {
    const char *id, *journal; /* the second only of one that lasts */
    struct nursery *nursery;
    struct sandbox sandbox;
    int cgroups_made;
    bool run_made, journal_made, kept, was_kept;
};

static const char *path_of(const char *parent, const char *id, const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s%s", parent, id, name);
    return path;
}

static int make_socket(struct attempt *attempt, struct failure *failure)
{
    const char *id = attempt->id;
    if (mkdir(path_of(NURSERY_RUN, id, ""), 0700) < 0) return fail(failure, "make the run directory of %s", id);
    attempt->run_made = true;
    int listener = attempt->sandbox.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, path_of(NURSERY_RUN, id, "/control"));
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) < 0)
        return fail(failure, "bind the socket of %s", id);
    if (chmod(address.sun_path, 0600) < 0 || listen(listener, 8) < 0)
        return fail(failure, "listen on the socket of %s", id);
    return 0;
}

/* One directory of a sandbox that lasts, which a start before may have made. */
static int make_kept(const char *path, uint32_t owner, struct failure *failure)
{
    if (mkdir(path, owner ? 0755 : 0700) < 0) return errno == EEXIST ? 0 : fail(failure, "make %s", path);
    return owner && chown(path, owner, owner) < 0 ? fail(failure, "give %s to the job", path) : 0;
}

static int make_lasting(struct attempt *attempt, struct failure *failure)
{
    const char *id = attempt->id;
    uint32_t uid_base = attempt->sandbox.uid_base;
    attempt->kept = true;
    if (ids_keep(attempt->nursery, uid_base, attempt->sandbox.uid_claim, failure) < 0
        || make_kept(path_of(NURSERY_SANDBOXES, id, ""), 0, failure) < 0
        || make_kept(path_of(NURSERY_SANDBOXES, id, "/" KEPT_UPPER), uid_base, failure) < 0
        || make_kept(path_of(NURSERY_SANDBOXES, id, "/" KEPT_WORK), 0, failure) < 0
        || make_kept(path_of(NURSERY_SANDBOXES, id, "/" KEPT_JOURNALS), 0, failure) < 0)
        return -1;
    attempt->sandbox.journals = open(path_of(NURSERY_SANDBOXES, id, "/" KEPT_JOURNALS),
                                     O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return attempt->sandbox.journals < 0 ? fail(failure, "open the journals of %s", id) : 0;
}

static const char *journal_path(const struct attempt *attempt)
{
    if (!attempt->journal) return path_of(NURSERY_SANDBOXES, attempt->id, JOURNAL_SUFFIX);
    char name[sizeof KEPT_JOURNALS + ID_LENGTH + sizeof JOURNAL_SUFFIX + 2];
    snprintf(name, sizeof name, "/" KEPT_JOURNALS "/%s" JOURNAL_SUFFIX, attempt->journal);
    return path_of(NURSERY_SANDBOXES, attempt->id, name);
}

static int make_journal(struct attempt *attempt, struct failure *failure)
{
    if (attempt->journal && make_lasting(attempt, failure) < 0) return -1;
    int file = attempt->sandbox.journal =
        open(journal_path(attempt), O_CREAT | O_EXCL | O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0) return fail(failure, "make the journal of %s", attempt->id);
    attempt->journal_made = true;
    return 0;
}

/* Two kinds whose hierarchy is one, as cpu and cpuacct often are, share a cgroup. */
static bool shared(const struct cgroups *parents, int index)
{
    struct stat ours, other;
    if (fstat(parents->each[index].directory, &ours) < 0) return false;
    for (int i = 0; i < index; i++)
        if (fstat(parents->each[i].directory, &other) == 0 && other.st_dev == ours.st_dev
            && other.st_ino == ours.st_ino)
            return true;
    return false;
}

static int make_cgroups(struct attempt *attempt, struct failure *failure)
{
    const struct cgroups *parents = &attempt->nursery->parents;
    struct cgroups *cgroups = &attempt->sandbox.cgroups;
    for (int i = 0; i < parents->count; i++) {
        const char *kind = parents->each[i].kind;
        if (mkdirat(parents->each[i].directory, attempt->id, 0755) < 0 && !(errno == EEXIST && shared(parents, i)))
            return fail(failure, "make the %s cgroup of %s", kind, attempt->id);
        attempt->cgroups_made = i + 1;
        int directory = openat(parents->each[i].directory, attempt->id, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (directory < 0) return fail(failure, "open the %s cgroup of %s", kind, attempt->id);
        cgroups->each[cgroups->count].kind = kind;
        cgroups->each[cgroups->count++].directory = directory;
    }
    return 0;
}

static void let_go(struct attempt *attempt)
{
    shut(&attempt->sandbox.listener);
    shut(&attempt->sandbox.journal);
    shut(&attempt->sandbox.journals);
    shut(&attempt->sandbox.uid_claim);
    for (int i = 0; i < attempt->sandbox.cgroups.count; i++) close(attempt->sandbox.cgroups.each[i].directory);
}

/* Whether the cgroups of `id` are gone, the first `count` of them. */
static bool remove_cgroups(const struct cgroups *parents, int count, const char *id)
{
    bool gone = true;
    for (int i = count; i-- > 0;)
        if (unlinkat(parents->each[i].directory, id, AT_REMOVEDIR) < 0 && errno != ENOENT) gone = false;
    return gone;
}

static bool remove_socket(const char *id)
{
    if (unlink(path_of(NURSERY_RUN, id, "/control")) < 0 && errno != ENOENT) return false;
    return rmdir(path_of(NURSERY_RUN, id, "")) == 0 || errno == ENOENT;
}

bool clear(const struct nursery *nursery, const char *id)
{
    bool gone = remove_cgroups(&nursery->parents, nursery->parents.count, id)
        & remove_cgroups(&nursery->spares, nursery->spares.count, id);
    return remove_socket(id) && gone;
}

static void undo(struct attempt *attempt)
{
    const char *id = attempt->id;
    remove_cgroups(&attempt->nursery->parents, attempt->cgroups_made, id);
    if (attempt->journal_made) unlink(journal_path(attempt));
    if (attempt->run_made) remove_socket(id);
    if (attempt->sandbox.network >= 0) network_return(&attempt->nursery->networks, attempt->sandbox.network, !attempt->sandbox.host_network);
    if (attempt->kept && !attempt->was_kept) ids_free(attempt->nursery, attempt->sandbox.uid_base);
}

static int take_network(struct attempt *attempt, struct failure *failure)
{
    struct networks *networks = &attempt->nursery->networks;
    struct sandbox *sandbox = &attempt->sandbox;
    sandbox->network = sandbox->host_network ? network_home(networks, failure) : network_take(networks, failure);
    return sandbox->network < 0 ? -1 : 0;
}

static struct child *make_child(struct attempt *attempt, struct failure *failure)
{
    struct child *child = calloc(1, sizeof *child);
    if (!child) return fail(failure, "make room for a sandbox"), NULL;
    struct clone_args arguments = {
        .flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_PIDFD,
        .pidfd = (uint64_t)(uintptr_t)&child->pidfd,
        .exit_signal = SIGCHLD,
    };
    pid_t pid = (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);
    if (pid == 0) init_main(&attempt->sandbox);
    if (pid < 0) {
        free(child);
        return fail(failure, "make the namespaces of %s", attempt->id), NULL;
    }
    memcpy(child->id, attempt->id, ID_LENGTH);
    child->pid = pid;
    child->uid_base = attempt->sandbox.uid_base;
    child->network = attempt->sandbox.network;
    return child;
}

static bool lives(const struct nursery *nursery, const char *id)
{
    for (const struct child *child = nursery->children; child; child = child->next)
        if (strcmp(child->id, id) == 0) return true;
    return false;
}

struct child *spawn(struct nursery *nursery, const char *id, const char *journal, uint32_t uid_base, bool host_network,
                    struct failure *failure)
{
    struct attempt attempt = {
        .id = id,
        .journal = journal,
        .nursery = nursery,
        .was_kept = uid_base != 0, /* a range that the caller knows */
        .sandbox = {.id = id, .listener = -1, .journal = -1, .journals = -1, .network = -1, .uid_claim = -1,
                    .house = nursery->house, .machine = nursery->machine, .spares = &nursery->spares,
                    .trees = &nursery->settings->trees, .filter = &nursery->filter, .host_network = host_network},
    };
    struct child *child = NULL;
    if (lives(nursery, id)) return fail_as(failure, EBUSY, "make %s again before its end", id), NULL;
    if ((attempt.sandbox.uid_claim = ids_claim(nursery, &uid_base, failure)) >= 0) {
        attempt.sandbox.uid_base = uid_base;
        if (make_socket(&attempt, failure) == 0 && make_journal(&attempt, failure) == 0
            && make_cgroups(&attempt, failure) == 0
            && take_network(&attempt, failure) == 0)
            child = make_child(&attempt, failure);
    }
    let_go(&attempt);
    if (!child) undo(&attempt);
    return child;
}

/*
 * The nursery's loop: spawn and destroy requests of the JVM, deaths of its children. It ends when it has been alone,
 * with neither a JVM nor a sandbox, for a while.
 */
#include "nursery.h"
#include "sys.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

/* Binds the control socket. One that nobody listens on any more is replaced. */
static int listen_on(const char *path, struct failure *failure)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) return fail_as(failure, ENAMETOOLONG, "listen on %.150s", path);
    strcpy(address.sun_path, path);
    CLOSED int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe >= 0 && connect(probe, (struct sockaddr *)&address, sizeof address) < 0 && errno == ECONNREFUSED)
        unlink(path);
    CLOSED int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || chmod(path, 0600) < 0
        || listen(listener, 8) < 0)
        return fail(failure, "listen on %.150s", path);
    int result = listener;
    listener = -1;
    return result;
}

static void send_frame(struct nursery *nursery, struct buffer *out)
{
    frame_close(out, 0);
    if (!out->exhausted) channel_send(&nursery->jvm, out->data, out->length);
    buffer_release(out);
}

static void handle_spawn(struct nursery *nursery, const char *id, const char *journal, uint32_t uid_base,
                         bool host_network)
{
    struct failure failure = {0};
    struct buffer out = {0};
    struct child *child = spawn(nursery, id, journal, uid_base, host_network, &failure);
    frame_open(&out, child ? FRAME_SPAWNED : FRAME_REFUSED);
    put_text(&out, FIELD_ID, id);
    if (child) {
        child->next = nursery->children;
        nursery->children = child;
        put_u32(&out, FIELD_PID, (uint32_t)child->pid);
        put_u32(&out, FIELD_UID_BASE, child->uid_base);
    } else {
        put_u32(&out, FIELD_ERRNO, (uint32_t)failure.code);
        put_text(&out, FIELD_WHAT, failure.what);
    }
    send_frame(nursery, &out);
}

static void handle_destroy(struct nursery *nursery, const char *id)
{
    for (struct child *child = nursery->children; child; child = child->next)
        if (strcmp(child->id, id) == 0) pidfd_send_signal(child->pidfd, SIGKILL, NULL, 0);
}

/* Whether `tag` holds an id, which is copied, or `missing` if the field is absent. */
static bool take_id(const struct frame *frame, uint16_t tag, char *id, bool missing)
{
    struct field field;
    int found = field_find(frame->body, tag, &field);
    if (found != 1) return found == 0 && missing;
    if (!is_id(field.value.data, field.value.length)) return false;
    memcpy(id, field.value.data, ID_LENGTH);
    return true;
}

static void handle_keep(struct nursery *nursery, uint32_t uid_base)
{
    struct failure failure;
    /* Its next start will say so again, to somebody who can act on it. */
    if (ids_keep(nursery, uid_base, -1, &failure) < 0)
        dprintf(2, "bobbin-init: cannot %s: %s\n", failure.what, strerror(failure.code));
}

static bool handle_frame(struct nursery *nursery, const struct frame *frame)
{
    struct field field;
    char id[ID_LENGTH + 1] = {0}, journal[ID_LENGTH + 1] = {0};
    uint32_t uid_base = 0;
    if (field_find(frame->body, FIELD_UID_BASE, &field) == 1 && !field_u32(&field, &uid_base)) return false;
    switch (frame->type) {
    case FRAME_RETIRE: nursery->retiring = true; return true;
    case FRAME_KEEP: handle_keep(nursery, uid_base); return true;
    case FRAME_FREE: ids_free(nursery, uid_base); return true;
    default: break;
    }
    if (!take_id(frame, FIELD_ID, id, false) || !take_id(frame, FIELD_JOURNAL, journal, true)) return false;
    if (frame->type == FRAME_SPAWN) handle_spawn(nursery, id, *journal ? journal : NULL, uid_base,
                                                field_find(frame->body, FIELD_HOST_NETWORK, &field) == 1);
    else if (frame->type == FRAME_DESTROY) handle_destroy(nursery, id);
    else return false;
    return true;
}

static void hear(struct nursery *nursery)
{
    struct channel *jvm = &nursery->jvm;
    if (jvm->peer < 0 || !channel_receive(jvm)) return;
    struct frame frame;
    int heard;
    while ((heard = channel_next(jvm, &frame)) == 1)
        if (!handle_frame(nursery, &frame)) channel_close(jvm);
    if (heard < 0) channel_close(jvm);
}

static void gone(struct nursery *nursery, pid_t pid, int status)
{
    for (struct child **at = &nursery->children; *at; at = &(*at)->next) {
        struct child *child = *at;
        if (child->pid != pid) continue;
        struct buffer out = {0};
        frame_open(&out, FRAME_GONE);
        put_text(&out, FIELD_ID, child->id);
        put_u32(&out, FIELD_STATUS, (uint32_t)status);
        /*
         * Of one that did not exit by itself, the cgroups may be all that tells how its job ended. What a retired nursery
         * made is looked after by the server that retired it, which may be making it anew elsewhere by now.
         */
        if (!WIFEXITED(status) || nursery->retiring || !clear(nursery, child->id)) put_bytes(&out, FIELD_LEFT, "", 0);
        send_frame(nursery, &out);
        close(child->pidfd);
        network_return(&nursery->networks, child->network,
                       WIFEXITED(status) && WEXITSTATUS(status) == EXIT_NETWORK_UNTOUCHED);
        *at = child->next;
        free(child);
        return;
    }
}

static void reap(struct nursery *nursery)
{
    struct signalfd_siginfo ignored;
    if (read(nursery->signals, &ignored, sizeof ignored) < 0) return;
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) gone(nursery, pid, status);
}

static _Noreturn void loop(struct nursery *nursery)
{
    struct channel *jvm = &nursery->jvm;
    uint64_t alone_since = milliseconds();
    while (!nursery->retiring || nursery->children) {
        bool alone = jvm->peer < 0 && !nursery->children;
        if (!alone) alone_since = NEVER;
        else if (alone_since == NEVER) alone_since = milliseconds();
        uint64_t leave_at = alone ? alone_since + nursery->settings->lonely_millis : NEVER;
        struct pollfd polled[] = {
            {.fd = nursery->signals, .events = POLLIN},
            {.fd = jvm->listener, .events = POLLIN},
            {.fd = jvm->peer, .events = (short)(POLLIN | (channel_congested(jvm) ? POLLOUT : 0))},
        };
        if (poll(polled, 3, until(leave_at)) == 0 && milliseconds() >= leave_at) _exit(0);
        if (polled[0].revents) reap(nursery);
        if (polled[2].revents & POLLOUT) channel_flush(jvm);
        if (polled[2].revents & ~POLLOUT) hear(nursery);
        if (polled[1].revents) channel_accept(jvm);
    }
    _exit(0);
}

_Noreturn void nursery_main(const struct settings *settings)
{
    struct nursery nursery = {.settings = settings, .jvm = {.peer = -1}, .house = -1, .machine = -1};
    struct failure failure;
    sigset_t children;
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    nursery.jvm.listener = listen_on(settings->control, &failure);
    if (nursery.jvm.listener < 0) give_up(&failure);
    nursery.signals = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
    if (nursery.signals < 0) fail(&failure, "watch for the end of sandboxes"), give_up(&failure);
    if (settings->filter && filter_read(settings->filter, &nursery.filter, &failure) < 0) give_up(&failure);
    if (networks_open(&nursery.networks, &failure) < 0) give_up(&failure);
    if (house_enter(&nursery, &failure) < 0) give_up(&failure);
    loop(&nursery);
}

/*
 * Non-blocking sockets to the JVM (channel.h). The receive buffer exists only while a frame is incomplete, because a
 * parked sandbox should hold next to no memory.
 */
#include "channel.h"
#include "sys.h"

#include <errno.h>
#include <sys/socket.h>

#define RECEIVE_AT_ONCE 16384

static bool is_ours(int peer)
{
    struct ucred credentials;
    socklen_t length = sizeof credentials;
    return getsockopt(peer, SOL_SOCKET, SO_PEERCRED, &credentials, &length) == 0 && credentials.uid == geteuid();
}

bool channel_accept(struct channel *channel)
{
    bool fresh = false;
    int peer;
    while ((peer = accept4(channel->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
        if (!is_ours(peer)) {
            close(peer);
            continue;
        }
        channel_close(channel);
        channel->peer = peer;
        fresh = true;
    }
    return fresh;
}

void channel_close(struct channel *channel)
{
    shut(&channel->peer);
    buffer_release(&channel->in);
    buffer_release(&channel->out);
    channel->parsed = 0;
}

bool channel_receive(struct channel *channel)
{
    buffer_drop(&channel->in, channel->parsed);
    channel->parsed = 0;
    struct buffer *in = &channel->in;
    /* The rest of a long frame is asked for in one piece. */
    size_t want = RECEIVE_AT_ONCE;
    if (in->length >= FRAME_HEADER) {
        size_t whole = (size_t)load_u32(in->data) + FRAME_HEADER;
        if (whole > in->length && whole - in->length > want) want = whole - in->length;
    }
    uint8_t *at = buffer_extend(in, want);
    ssize_t got = at ? recv(channel->peer, at, want, MSG_DONTWAIT) : -1;
    if (at) in->length -= want - (got > 0 ? (size_t)got : 0);
    if (got > 0) return true;
    if (got < 0 && at && (errno == EAGAIN || errno == EINTR)) return true;
    channel_close(channel);
    return false;
}

int channel_next(struct channel *channel, struct frame *frame)
{
    if (channel->peer < 0) return 0;
    struct buffer *in = &channel->in;
    long length = frame_read(in->data + channel->parsed, in->length - channel->parsed, frame);
    if (length > 0) channel->parsed += (size_t)length;
    else if (length == 0 && channel->parsed == in->length) {
        buffer_release(in);
        channel->parsed = 0;
    }
    return length > 0 ? 1 : (int)length;
}

void channel_send(struct channel *channel, const void *data, size_t length)
{
    if (channel->peer < 0) return;
    ssize_t sent = 0;
    if (!channel_congested(channel)) {
        sent = send(channel->peer, data, length, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN && errno != EINTR) {
            channel_close(channel);
            return;
        }
        if (sent < 0) sent = 0;
    }
    size_t left = length - (size_t)sent;
    if (left == 0) return;
    uint8_t *at = channel->out.length + left <= CHANNEL_QUEUE ? buffer_extend(&channel->out, left) : NULL;
    if (!at) {
        channel_close(channel);
        return;
    }
    __builtin_memcpy(at, (const uint8_t *)data + sent, left);
}

void channel_flush(struct channel *channel)
{
    while (channel->peer >= 0 && channel_congested(channel)) {
        ssize_t sent = send(channel->peer, channel->out.data, channel->out.length, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) return;
        if (sent < 0) channel_close(channel);
        else buffer_drop(&channel->out, (size_t)sent);
    }
}

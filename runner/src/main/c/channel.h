/*
 * The connection to the JVM, of the nursery and of every PID 1: a listening socket whose newest accepted peer of our
 * own uid is the only one, frames in, frames out, never blocking. What the socket does not take waits in a bounded
 * queue.
 */
#ifndef BOBBIN_CHANNEL_H
#define BOBBIN_CHANNEL_H

#include "wire.h"

struct channel {
    int listener, peer; /* peer: -1 while nobody is connected */
    struct buffer in, out;
    size_t parsed; /* bytes of `in` that were handed out */
};

/* Takes the newest waiting connection, closing the one before; true if there is a new peer. */
bool channel_accept(struct channel *channel);

/* Reads what has arrived; false if the peer is gone, and then it is closed. */
bool channel_receive(struct channel *channel);

/* The next whole frame: 1, 0 if there is none yet, -1 if the bytes make no sense. Valid until channel_receive(). */
int channel_next(struct channel *channel, struct frame *frame);

/* Sends, queueing what does not fit; a peer whose queue passes CHANNEL_QUEUE is closed. */
#define CHANNEL_QUEUE (1U << 20)
void channel_send(struct channel *channel, const void *data, size_t length);
void channel_flush(struct channel *channel);
void channel_close(struct channel *channel);

static inline bool channel_congested(const struct channel *channel)
{
    return channel->out.length > 0;
}

#endif

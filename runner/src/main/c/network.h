/*
 * Network namespaces of sandboxes. Those of sandboxes without a network have only a loopback interface. Making and
 * unmaking one is a third of what a sandbox costs the kernel, so one that a job left exactly as it was made serves again;
 * any trace of use, a single packet or socket, and it is let go. A job cannot change a namespace that its user namespace
 * does not own; what it can do, the counters below show.
 */
#ifndef BOBBIN_NETWORK_H
#define BOBBIN_NETWORK_H

#include "error.h"

#include <stdbool.h>
#include <stdint.h>

#define NETWORKS_SPARE 64
/* PID 1's exit status if its network namespace is as it was made. */
#define EXIT_NETWORK_UNTOUCHED 64

struct networks {
    int home;                  /* the machine's */
    int spare[NETWORKS_SPARE]; /* untouched ones without a sandbox */
    int count;
};

/* In the nursery, while it still sees the machine's /proc: notes what an untouched namespace looks like. */
int networks_open(struct networks *networks, struct failure *failure);
/* An untouched network namespace, spare or new, as a descriptor that the caller owns; -1 if none can be made. */
int network_take(struct networks *networks, struct failure *failure);
/* The machine's own, as a descriptor that the caller owns. */
int network_home(const struct networks *networks, struct failure *failure);
/* Takes back a descriptor of network_take(). */
void network_return(struct networks *networks, int network, bool untouched);

/* Of PID 1, with the proc file system of its sandbox: a handle by which network_untouched() looks later. */
int network_view(const char *proc, struct failure *failure);
bool network_untouched(int view);

/*
 * Goes to the network namespace `to`, which was just made, and takes eth0 along if there is one. Loopback is up there, and
 * eth0 too.
 */
int network_move(int to, struct failure *failure);

/*
 * Gives eth0 of this network its address and the way to `gateway`, both as they are sent, with the proc file system of the
 * sandbox at `proc`. It can send when this returns.
 */
int network_join(const uint8_t address[4], const uint8_t gateway[4], const char *proc, struct failure *failure);

#endif

#include "network.h"
#include "sys.h"
#include "sysctl.h"

#include <linux/ethtool.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>

#define LOOK_LONGEST 32768
#define JOINED "eth0"

/* What a namespace looks like to those in it. All sockets are in the first line of sockstat; its others are the
 * machine's. */
static const struct {
    const char *file;
    bool first_line;
} looks[] = {
    {"sockstat", true}, {"dev", false}, {"snmp", false}, {"netstat", false}, {"snmp6", false}, {"ip6_flowlabel", false},
    {"igmp6", false},
};

/* Filled before any sandbox exists, and inherited by each. */
static char untouched[LOOK_LONGEST];
static size_t untouched_length;

/* Writes the look of the namespace behind `view` to `to`; 0 if it cannot be told. */
static size_t look(int view, char *to)
{
    size_t length = 0;
    for (size_t i = 0; i < sizeof looks / sizeof *looks; i++) {
        CLOSED int file = openat(view, looks[i].file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (file < 0 && errno == ENOENT) continue; /* a kernel without IPv6 */
        size_t start = length;
        for (ssize_t got = 1; got > 0; length += (size_t)got) {
            if (file < 0 || length == LOOK_LONGEST) return 0;
            if ((got = read(file, to + length, LOOK_LONGEST - length)) < 0) return 0;
        }
        char *end = looks[i].first_line ? memchr(to + start, '\n', length - start) : NULL;
        if (end) length = (size_t)(end + 1 - to);
    }
    return length;
}

static int of_socket(int socket, struct failure *failure)
{
    int network = ioctl(socket, SIOCGSKNS);
    if (network < 0) return fail(failure, "hold a network namespace");
    fcntl(network, F_SETFD, FD_CLOEXEC);
    return network;
}

static int open_socket(struct failure *failure)
{
    int any = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (any < 0) fail(failure, "open a socket in a network namespace");
    return any;
}

static int bring_up(int any, const char *name, struct failure *failure)
{
    struct ifreq request = {.ifr_flags = IFF_UP};
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    return ioctl(any, SIOCSIFFLAGS, &request) < 0 ? fail(failure, "bring %s up", name) : 0;
}

/* A new namespace, with this process still in it. */
static int make(struct failure *failure)
{
    if (unshare(CLONE_NEWNET) < 0) return fail(failure, "make a network namespace");
    CLOSED int any = open_socket(failure);
    if (any < 0) return -1;
    if (bring_up(any, "lo", failure) < 0) return -1;
    return of_socket(any, failure);
}

static int go_home(const struct networks *networks, struct failure *failure)
{
    if (setns(networks->home, CLONE_NEWNET) < 0) return fail(failure, "return to the machine's network namespace");
    return 0;
}

int networks_open(struct networks *networks, struct failure *failure)
{
    CLOSED int any = open_socket(failure);
    if (any < 0 || (networks->home = of_socket(any, failure)) < 0) return -1;
    int first = make(failure);
    if (first < 0) return -1;
    networks->spare[networks->count++] = first;
    CLOSED int view = network_view("/proc", failure);
    if (view < 0) return -1;
    untouched_length = look(view, untouched);
    return go_home(networks, failure);
}

int network_take(struct networks *networks, struct failure *failure)
{
    if (networks->count > 0) return networks->spare[--networks->count];
    CLOSED int network = make(failure);
    struct failure of_return;
    if (go_home(networks, network < 0 ? &of_return : failure) < 0 || network < 0) return -1;
    int made = network;
    network = -1;
    return made;
}

int network_home(const struct networks *networks, struct failure *failure)
{
    int home = fcntl(networks->home, F_DUPFD_CLOEXEC, 0);
    return home < 0 ? fail(failure, "hold the machine's network namespace") : home;
}

void network_return(struct networks *networks, int network, bool is_untouched)
{
    if (is_untouched && networks->count < NETWORKS_SPARE) networks->spare[networks->count++] = network;
    else close(network);
}

int network_view(const char *proc, struct failure *failure)
{
    char path[64];
    snprintf(path, sizeof path, "%s/self/net", proc);
    int view = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return view < 0 ? fail(failure, "look at the network namespace") : view;
}

bool network_untouched(int view)
{
    static char now[LOOK_LONGEST];
    size_t length = view < 0 ? 0 : look(view, now);
    return length > 0 && length == untouched_length && memcmp(now, untouched, length) == 0;
}

static void set_address(struct sockaddr *to, const uint8_t bytes[4])
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    if (bytes) memcpy(&address.sin_addr, bytes, 4);
    memcpy(to, &address, sizeof address);
}

static int add_route(int any, const uint8_t to[4], const uint8_t gateway[4], struct failure *failure)
{
    static const uint8_t one[4] = {255, 255, 255, 255};
    struct rtentry route = {.rt_flags = RTF_UP | (to ? RTF_HOST : RTF_GATEWAY), .rt_dev = (char[]){JOINED}};
    set_address(&route.rt_dst, to);
    set_address(&route.rt_genmask, to ? one : NULL);
    set_address(&route.rt_gateway, to ? NULL : gateway);
    return ioctl(any, SIOCADDRT, &route) < 0 ? fail(failure, "make a route of " JOINED) : 0;
}

static int leave_ipv6(const char *proc, struct failure *failure)
{
    CLOSED int whole = sysctl_open(proc, failure);
    if (whole < 0) return -1;
    if (sysctl_write(whole, 0, "net.ipv6.conf." JOINED ".disable_ipv6", "1", failure) == 0) return 0;
    return failure->code == ENOENT ? 0 : -1; /* a kernel without IPv6 */
}

/* The number of the link, 0 if there is none. */
static int link_number(int any)
{
    struct ifreq request = {.ifr_name = JOINED};
    return ioctl(any, SIOCGIFINDEX, &request) < 0 ? 0 : request.ifr_ifindex;
}

static int send_link(int number, int to, struct failure *failure)
{
    struct {
        struct nlmsghdr header;
        struct ifinfomsg link;
        struct nlattr attribute;
        uint32_t namespace;
    } request = {
        .header = {.nlmsg_len = sizeof request, .nlmsg_type = RTM_NEWLINK, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK},
        .link = {.ifi_index = number},
        .attribute = {sizeof(struct nlattr) + sizeof(uint32_t), IFLA_NET_NS_FD},
        .namespace = (uint32_t)to,
    };
    struct {
        struct nlmsghdr header;
        struct nlmsgerr error;
    } answer = {0};
    CLOSED int kernel = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (kernel < 0 || send(kernel, &request, sizeof request, 0) < 0 || recv(kernel, &answer, sizeof answer, 0) < 0)
        return fail(failure, "ask the kernel to move " JOINED);
    return answer.error.error ? fail_as(failure, -answer.error.error, "move " JOINED) : 0;
}

int network_move(int to, struct failure *failure)
{
    CLOSED int before = open_socket(failure);
    if (before < 0) return -1;
    int number = link_number(before);
    if (number && send_link(number, to, failure) < 0) return -1;
    if (setns(to, CLONE_NEWNET) < 0) return fail(failure, "enter the network namespace of the job's own");
    CLOSED int any = open_socket(failure);
    if (any < 0 || bring_up(any, "lo", failure) < 0) return -1;
    return number ? bring_up(any, JOINED, failure) : 0;
}

int network_join(const uint8_t address[4], const uint8_t gateway[4], const char *proc, struct failure *failure)
{
    static const uint8_t one[4] = {255, 255, 255, 255};
    if (leave_ipv6(proc, failure) < 0) return -1;
    CLOSED int any = open_socket(failure);
    if (any < 0) return -1;
    struct ifreq request = {.ifr_name = JOINED};
    set_address(&request.ifr_addr, address);
    if (ioctl(any, SIOCSIFADDR, &request) < 0) return fail(failure, "give " JOINED " its address");
    set_address(&request.ifr_netmask, one);
    if (ioctl(any, SIOCSIFNETMASK, &request) < 0) return fail(failure, "give " JOINED " its mask");
    if (add_route(any, gateway, gateway, failure) < 0 || add_route(any, NULL, gateway, failure) < 0) return -1;
    /* Whoever asks for the state of the link waits until it can send. */
    struct ethtool_value link = {.cmd = ETHTOOL_GLINK};
    request.ifr_data = (char *)&link;
    if (ioctl(any, SIOCETHTOOL, &request) < 0) return fail(failure, "look at the link of " JOINED);
    return link.data ? 0 : fail_as(failure, ENETDOWN, "send by " JOINED);
}

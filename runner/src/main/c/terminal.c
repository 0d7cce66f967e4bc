/*
 * Terminals of processes (terminal.h).
 */
#include "terminal.h"
#include "sys.h"

#include <linux/magic.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>

int terminal_make(int *ours, int *theirs, uid_t uid, gid_t group, struct failure *failure)
{
    /* The job owns /dev and may have put anything there; what it cannot have mounted is a devpts. */
    CLOSED int master = open_under(AT_FDCWD, "/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK, 0,
                                   RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
    struct statfs system;
    int unlocked = 0;
    if (master < 0) return fail(failure, "open /dev/pts/ptmx");
    if (fstatfs(master, &system) < 0 || system.f_type != DEVPTS_SUPER_MAGIC)
        return fail_as(failure, ENOTTY, "find the sandbox's terminals in /dev/pts");
    if (ioctl(master, TIOCSPTLCK, &unlocked) < 0) return fail(failure, "unlock the terminal");
    CLOSED int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (slave < 0) return fail(failure, "open the terminal");
    if (fchown(slave, uid, group) < 0) return fail(failure, "give the terminal to the job's user");
    *ours = master;
    *theirs = slave;
    master = slave = -1;
    return 0;
}

int terminal_number(int ours, uint32_t *number, struct failure *failure)
{
    return ioctl(ours, TIOCGPTN, number) < 0 ? fail(failure, "name the terminal") : 0;
}

int terminal_open(uint32_t number, struct failure *failure)
{
    char path[32];
    snprintf(path, sizeof path, "/dev/pts/%u", number);
    int theirs = open_under(AT_FDCWD, path, O_RDWR | O_NOCTTY, 0, RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
    return theirs < 0 ? fail(failure, "open %s", path) : theirs;
}

int terminal_resize(int ours, uint32_t rows, uint32_t columns, struct failure *failure)
{
    struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
    return ioctl(ours, TIOCSWINSZ, &size) < 0 ? fail(failure, "set the size of the terminal") : 0;
}

int terminal_take(int theirs, struct failure *failure)
{
    return ioctl(theirs, TIOCSCTTY, 0) < 0 ? fail(failure, "take the terminal") : 0;
}

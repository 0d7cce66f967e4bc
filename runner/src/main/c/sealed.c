/*
 * Runs the nursery, and with it every PID 1, from a sealed copy in memory: no job that finds its way to /proc/1/exe
 * can change the program on the disk through it, and replacing the file never touches a running sandbox.
 */
#include "nursery.h"
#include "sys.h"

#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

int run_sealed(char **arguments, struct failure *failure)
{
    CLOSED int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (self < 0) return fail(failure, "open the running program");
    if (fcntl(self, F_GET_SEALS) == SEALS) return 0;
    CLOSED int copy = memfd_create("bobbin-init", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
    if (copy < 0 && errno == EINVAL) copy = memfd_create("bobbin-init", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (copy < 0) return fail(failure, "make a memory file");
    struct stat status;
    if (fstat(self, &status) < 0) return fail(failure, "read the running program's size");
    for (off_t copied = 0; copied < status.st_size;)
        if (sendfile(copy, self, &copied, (size_t)(status.st_size - copied)) <= 0)
            return fail(failure, "copy the running program");
    if (fchmod(copy, 0500) < 0 || fcntl(copy, F_ADD_SEALS, SEALS) < 0) return fail(failure, "seal the running program");
    char *no_environment[] = {NULL};
    fexecve(copy, arguments, no_environment);
    return fail(failure, "execute the sealed program");
}

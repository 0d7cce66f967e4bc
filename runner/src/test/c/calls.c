/*
 * Asks the filter that this process runs under about calls, without making any. A second filter, stacked on it, hands each
 * call that we mark to a tracer; the kernel obeys the stricter of both, so the tracer sees exactly those that the first one
 * lets through, and makes them nothing. So even reboot may be asked about.
 */
#include "probe.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define NUMBERS 600
#define ARGUMENTS 5
#define MARK 0x0b0bb1a5L /* the sixth argument */
#define ALLOWED (-1000L)

#ifdef __x86_64__

#define X32 0x40000000L

static long by_syscall(long number, const long *given)
{
    register long fourth __asm__("r10") = given[3];
    register long fifth __asm__("r8") = given[4];
    register long sixth __asm__("r9") = MARK;
    long result;
    /* The mark must not stay where the next call of the library would show it. */
    __asm__ volatile("syscall\n\txor %%r9d, %%r9d" : "=a"(result), "+r"(sixth)
                     : "a"(number), "D"(given[0]), "S"(given[1]), "d"(given[2]), "r"(fourth), "r"(fifth)
                     : "rcx", "r11", "memory");
    return result;
}

static long by_x32(long number, const long *given)
{
    return by_syscall(number | X32, given);
}

/* As 32-bit code calls; 64-bit code may, too. */
static long by_interrupt(long number, const long *given)
{
    long result;
    __asm__ volatile("lea -128(%%rsp), %%rsp\n\tpush %%rbp\n\tmov %[mark], %%rbp\n\tint $0x80\n\tpop %%rbp\n\tlea 128(%%rsp), %%rsp"
                     : "=a"(result)
                     : "a"(number), "b"(given[0]), "c"(given[1]), "d"(given[2]), "S"(given[3]), "D"(given[4]), [mark] "r"(MARK)
                     : "r8", "r9", "r10", "r11", "memory", "cc");
    return (int)result;
}

static const struct {
    const char *name;
    long (*call)(long number, const long *given);
} abis[] = {{"x86-64", by_syscall}, {"x32", by_x32}, {"i386", by_interrupt}};

static int hand_marked_to_tracer(void)
{
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[5])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MARK, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog whole = {sizeof program / sizeof *program, program};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return -1;
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &whole);
}

/* uretprobe and uprobe, about which the kernel asks no filter: they are made by its own code in a traced process, and
 * kill any other. */
static int is_exempt(long number)
{
    return number == 335 || number == 336;
}

static _Noreturn void ask(long (*call)(long, const long *), long first, long last, const long *given, long *answers)
{
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0) _exit(failed("be traced"));
    raise(SIGSTOP);
    if (hand_marked_to_tracer() < 0) _exit(failed("load a filter"));
    for (long number = first; number <= last; number++)
        if (call != by_syscall || !is_exempt(number)) answers[number] = call(number, given);
    _exit(0);
}

/* Answers each call in place of the kernel. */
static int answer_all(pid_t child)
{
    int status;
    waitpid(child, &status, 0);
    if (!WIFSTOPPED(status) || ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_TRACESECCOMP) < 0) return failed("trace");
    while (ptrace(PTRACE_CONT, child, NULL, NULL) == 0 && waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
        if (status >> 8 != (SIGTRAP | PTRACE_EVENT_SECCOMP << 8)) return errno = WSTOPSIG(status), failed("understand a stop");
        struct user_regs_struct registers;
        if (ptrace(PTRACE_GETREGS, child, NULL, &registers) < 0) return failed("read registers");
        registers.orig_rax = (unsigned long)-1;
        registers.rax = (unsigned long)ALLOWED;
        if (ptrace(PTRACE_SETREGS, child, NULL, &registers) < 0) return failed("write registers");
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int calls(int count, char **arguments)
{
    size_t abi = 0;
    while (abi < sizeof abis / sizeof *abis && strcmp(abis[abi].name, count > 0 ? arguments[0] : "")) abi++;
    if (abi == sizeof abis / sizeof *abis) return errno = EINVAL, failed("find the ABI");
    long given[ARGUMENTS] = {0}, first = 0, last = NUMBERS - 1;
    if (count > 1) first = last = atol(arguments[1]);
    for (int i = 2; i < count && i < ARGUMENTS + 2; i++) given[i - 2] = (long)strtoul(arguments[i], NULL, 0);
    if (first < 0 || last >= NUMBERS) return errno = ERANGE, failed("ask about that number");
    long *answers = mmap(NULL, NUMBERS * sizeof *answers, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (answers == MAP_FAILED) return failed("mmap");
    pid_t child = fork();
    if (child < 0) return failed("fork");
    if (child == 0) ask(abis[abi].call, first, last, given, answers);
    if (answer_all(child)) return 1;
    for (long number = first; number <= last; number++) {
        if (answers[number] == 0) continue;
        const char *error = strerrorname_np((int)-answers[number]);
        printf("%ld %s\n", number, answers[number] == ALLOWED ? "allowed" : error ? error : "?");
    }
    return 0;
}

#else

int calls(int count, char **arguments)
{
    (void)count, (void)arguments;
    return errno = ENOSYS, failed("ask about calls on this machine");
}

#endif

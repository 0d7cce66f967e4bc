/*
 * Work on the files of a sandbox, done by a process in it in place of a program: it stands in the sandbox's root, in its
 * cgroups, with its ids and no more rights than its root has, so whatever a path means there it means here.
 */
#ifndef BOBBIN_FILES_H
#define BOBBIN_FILES_H

/* As main() of a program; errors are one line `ERRNO sentence` on standard error, and status 1. */
_Noreturn void files_main(char **arguments);

#endif

/*
 * Attempts at what a job must not be able to do. Part of bobbin-facts, and of the program that tests run in sandboxes.
 */
#ifndef BOBBIN_ATTEMPTS_H
#define BOBBIN_ATTEMPTS_H

/* Says on stderr what could not be done and why; always 1. Each program has its own. */
int failed(const char *what);

/* Makes the attempts of these names and prints for each the name and how it ended; 1 if one is not known. */
int attempt(int count, char **arguments);

/* Makes all that there are, each line beginning with `try `. */
void attempt_all(void);

#endif

/*
 * What the parts of the program that tests run inside sandboxes share.
 */
#ifndef BOBBIN_PROBE_H
#define BOBBIN_PROBE_H

/* Says on stderr what could not be done and why; always 1. */
int failed(const char *what);

/* calls.c: `calls ABI`: which calls a filter lets through, without making any; `calls ABI NUMBER ARGUMENTS…`: one. */
int calls(int count, char **arguments);

/* attempts.c: `attempt NAME…`: what a job must not be able to do. */
int attempt(int count, char **arguments);

/* talk.c: `talk serve PORT`, `talk to tcp|udp|once ADDRESS PORT [FROM]`: who reaches whom. */
int talk(int count, char **arguments);

#endif

/*
 * What the parts of the program that tests run inside sandboxes share.
 */
#ifndef BOBBIN_PROBE_H
#define BOBBIN_PROBE_H

#include "attempts.h"

/* calls.c: `calls ABI`: which calls a filter lets through, without making any; `calls ABI NUMBER ARGUMENTS…`: one. */
int calls(int count, char **arguments);

/* talk.c: `talk serve PORT`, `talk to tcp|udp|once ADDRESS PORT [FROM]`: who reaches whom. */
int talk(int count, char **arguments);

#endif

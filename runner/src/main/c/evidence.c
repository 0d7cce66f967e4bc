/*
 * What the kernel counted: files of the job's cgroups, as an order asks for them.
 */
#include "init.h"

#include <string.h>

#define EVIDENCE_LONGEST 16384

void put_evidence(const struct init *init, const struct process *process, uint16_t tag, struct buffer *to)
{
    struct slice rest = {process->reads.data, (uint32_t)process->reads.length};
    struct field read_field;
    FREED char *text = rest.length ? malloc(EVIDENCE_LONGEST) : NULL;
    while (text && field_read(&rest, &read_field) == 1) {
        uint32_t length = read_field.value.length;
        char *file = memchr(read_field.value.data, '\n', length);
        if (!file || length >= EVIDENCE_LONGEST / 2) continue;
        memcpy(text, read_field.value.data, length);
        text[length] = 0;
        size_t kind = (size_t)(file - (char *)read_field.value.data);
        const char *name = text + kind + 1;
        for (int i = 0; i < init->sandbox->cgroups.count; i++) {
            const char *candidate = init->sandbox->cgroups.each[i].kind;
            if (strncmp(candidate, text, kind) != 0 || candidate[kind] != 0) continue;
            if (strchr(name, '/')) break;
            CLOSED int from = openat(init->sandbox->cgroups.each[i].directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
            ssize_t got = from < 0 ? -1 : read(from, text + length + 1, EVIDENCE_LONGEST - length - 1);
            if (got < 0) break;
            text[length] = '\n';
            put_bytes(to, tag, text, length + 1 + (size_t)got);
            break;
        }
    }
}

/*
 * CRC32C (Castagnoli) of a stream in pieces: the processor's own instruction where it has one, a table elsewhere.
 */
#include "journal.h"

#include <string.h>

#define POLYNOMIAL 0x82F63B78U

static uint32_t by_table(uint32_t crc, const uint8_t *data, size_t length)
{
    static uint32_t table[256];
    if (table[1] == 0) {
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t value = i;
            for (int bit = 0; bit < 8; bit++) value = value & 1 ? value >> 1 ^ POLYNOMIAL : value >> 1;
            table[i] = value;
        }
    }
    while (length--) crc = table[(crc ^ *data++) & 255] ^ crc >> 8;
    return crc;
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t crc, const uint8_t *data, size_t length)
{
    uint64_t wide = crc;
    for (; length >= 8; data += 8, length -= 8) {
        uint64_t word;
        memcpy(&word, data, 8);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    crc = (uint32_t)wide;
    while (length--) crc = __builtin_ia32_crc32qi(crc, *data++);
    return crc;
}
#endif

uint32_t crc32c(uint32_t crc, const uint8_t *data, size_t length)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("sse4.2")) return ~by_instruction(~crc, data, length);
#endif
    return ~by_table(~crc, data, length);
}

uint32_t crc32c_portable(uint32_t crc, const uint8_t *data, size_t length)
{
    return ~by_table(~crc, data, length);
}

/*
 * CRC32C (Castagnoli) of a stream in pieces: the processor's own instruction where it has one, a table elsewhere.
 */
#include "journal.h"

#include <string.h>

#define POLYNOMIAL 0x82F63B78U
#define LANE 2048 /* bytes; a multiple of 8 */

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

/* What each byte of a sum becomes when the bytes of a lane follow. */
static uint32_t followed[4][256];

static void learn_followed(void)
{
    static const uint8_t zeros[LANE];
    for (int bit = 0; bit < 32; bit++) {
        uint32_t of_bit = by_instruction(1U << bit, zeros, LANE);
        for (int value = 0; value < 256; value++)
            if (value >> bit % 8 & 1) followed[bit / 8][value] ^= of_bit;
    }
}

static uint32_t by_followed(uint32_t crc)
{
    return followed[0][crc & 255] ^ followed[1][crc >> 8 & 255] ^ followed[2][crc >> 16 & 255] ^ followed[3][crc >> 24];
}

/*
 * The instruction takes three cycles and one can begin in each, so three lanes are summed at once and joined: a sum is
 * linear, and that of the second lane, begun with 0, adds to that of the first as the lane makes of it.
 */
__attribute__((target("sse4.2"))) static uint32_t by_lanes(uint32_t crc, const uint8_t *data, size_t length)
{
    if (length >= 3 * LANE && !followed[0][1]) learn_followed();
    for (; length >= 3 * LANE; data += 3 * LANE, length -= 3 * LANE) {
        uint64_t lanes[3] = {crc, 0, 0};
        for (size_t at = 0; at < LANE; at += 8) {
            uint64_t words[3];
            for (size_t i = 0; i < 3; i++) memcpy(&words[i], data + i * LANE + at, 8);
            for (size_t i = 0; i < 3; i++) lanes[i] = __builtin_ia32_crc32di(lanes[i], words[i]);
        }
        crc = by_followed(by_followed((uint32_t)lanes[0]) ^ (uint32_t)lanes[1]) ^ (uint32_t)lanes[2];
    }
    return by_instruction(crc, data, length);
}
#endif

uint32_t crc32c(uint32_t crc, const uint8_t *data, size_t length)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("sse4.2")) return ~by_lanes(~crc, data, length);
#endif
    return ~by_table(~crc, data, length);
}

uint32_t crc32c_portable(uint32_t crc, const uint8_t *data, size_t length)
{
    return ~by_table(~crc, data, length);
}

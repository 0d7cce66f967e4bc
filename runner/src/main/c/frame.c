/*
 * The codec of frames and fields (wire.h): little-endian whatever the machine, one pass, no allocation when reading.
 */
#include "wire.h"

#include <stdlib.h>
#include <string.h>

static uint16_t load_u16(const uint8_t *at)
{
    return (uint16_t)(at[0] | at[1] << 8);
}

uint32_t load_u32(const uint8_t *at)
{
    return (uint32_t)load_u16(at) | (uint32_t)load_u16(at + 2) << 16;
}

uint64_t load_u64(const uint8_t *at)
{
    return load_u32(at) | (uint64_t)load_u32(at + 4) << 32;
}

void store_u32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++) at[i] = (uint8_t)(value >> 8 * i);
}

void store_u64(uint8_t *at, uint64_t value)
{
    store_u32(at, (uint32_t)value);
    store_u32(at + 4, (uint32_t)(value >> 32));
}

void store_frame_header(uint8_t *at, uint16_t type, uint32_t length)
{
    store_u32(at, length);
    store_u32(at + 4, type | (uint32_t)PROTOCOL << 16);
}

void store_field_header(uint8_t *at, uint16_t tag, uint32_t length)
{
    store_u32(at, tag);
    store_u32(at + 4, length);
}

long frame_read(uint8_t *data, size_t length, struct frame *frame)
{
    if (length < FRAME_HEADER) return 0;
    uint32_t body = load_u32(data);
    if (body > FRAME_LONGEST || data[6] < PROTOCOL_OLDEST || data[6] > PROTOCOL || data[7] != 0) return -1;
    if (length - FRAME_HEADER < body) return 0;
    frame->type = load_u16(data + 4);
    frame->body = (struct slice){data + FRAME_HEADER, body};
    return (long)body + FRAME_HEADER;
}

int field_read(struct slice *rest, struct field *field)
{
    if (rest->length == 0) return 0;
    if (rest->length < FIELD_HEADER || load_u16(rest->data + 2) != 0) return -1;
    uint32_t length = load_u32(rest->data + 4);
    if (length > rest->length - FIELD_HEADER) return -1;
    field->tag = load_u16(rest->data);
    field->value = (struct slice){rest->data + FIELD_HEADER, length};
    rest->data += FIELD_HEADER + length;
    rest->length -= FIELD_HEADER + length;
    return 1;
}

int field_find(struct slice body, uint16_t tag, struct field *field)
{
    struct field each;
    int more, found = 0;
    while ((more = field_read(&body, &each)) == 1) {
        if (found || each.tag != tag) continue;
        *field = each;
        found = 1;
    }
    return more < 0 ? -1 : found;
}

bool field_u32(const struct field *field, uint32_t *value)
{
    if (field->value.length != 4) return false;
    *value = load_u32(field->value.data);
    return true;
}

bool field_u64(const struct field *field, uint64_t *value)
{
    if (field->value.length != 8) return false;
    *value = load_u64(field->value.data);
    return true;
}

uint8_t *buffer_extend(struct buffer *buffer, size_t length)
{
    if (buffer->exhausted) return NULL;
    if (buffer->capacity - buffer->length < length) {
        size_t capacity = buffer->capacity ? buffer->capacity : 256;
        while (capacity - buffer->length < length) capacity *= 2;
        uint8_t *data = realloc(buffer->data, capacity);
        if (!data) {
            buffer->exhausted = true;
            return NULL;
        }
        buffer->data = data;
        buffer->capacity = capacity;
    }
    uint8_t *at = buffer->data + buffer->length;
    buffer->length += length;
    return at;
}

void buffer_drop(struct buffer *buffer, size_t length)
{
    buffer->length -= length;
    if (buffer->length == 0) buffer_release(buffer);
    else memmove(buffer->data, buffer->data + length, buffer->length);
}

void buffer_release(struct buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct buffer){0};
}

size_t frame_open(struct buffer *buffer, uint16_t type)
{
    size_t start = buffer->length;
    uint8_t *at = buffer_extend(buffer, FRAME_HEADER);
    if (at) store_frame_header(at, type, 0);
    return start;
}

void frame_close(struct buffer *buffer, size_t start)
{
    if (!buffer->exhausted) store_u32(buffer->data + start, (uint32_t)(buffer->length - start - FRAME_HEADER));
}

void put_bytes(struct buffer *buffer, uint16_t tag, const void *data, size_t length)
{
    uint8_t *at = buffer_extend(buffer, FIELD_HEADER + length);
    if (!at) return;
    store_field_header(at, tag, (uint32_t)length);
    if (length) memcpy(at + FIELD_HEADER, data, length);
}

void put_text(struct buffer *buffer, uint16_t tag, const char *text)
{
    put_bytes(buffer, tag, text, strlen(text));
}

void put_u32(struct buffer *buffer, uint16_t tag, uint32_t value)
{
    uint8_t bytes[4];
    store_u32(bytes, value);
    put_bytes(buffer, tag, bytes, sizeof bytes);
}

void put_u64(struct buffer *buffer, uint16_t tag, uint64_t value)
{
    uint8_t bytes[8];
    store_u64(bytes, value);
    put_bytes(buffer, tag, bytes, sizeof bytes);
}

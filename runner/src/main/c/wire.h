/*
 * Reading and writing the frames and fields of frame.h. Decoders never read past what they were given and never trust
 * a length; encoders append to a growing buffer and remember if memory ran out, so that one check at the end suffices.
 */
#ifndef BOBBIN_WIRE_H
#define BOBBIN_WIRE_H

#include "frame.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slice {
    uint8_t *data;
    uint32_t length;
};

struct frame {
    uint16_t type;
    struct slice body;
};

struct field {
    uint16_t tag;
    struct slice value;
};

struct buffer {
    uint8_t *data;
    size_t length, capacity;
    bool exhausted;
};

/* Bytes of the first frame in `data`; 0 if more are needed, -1 if they can never become one. */
long frame_read(uint8_t *data, size_t length, struct frame *frame);

/* Takes the next field off the front of `rest`: 1, 0 at the end, -1 if malformed. */
int field_read(struct slice *rest, struct field *field);

/* The first field with that tag: 1, 0 if absent, -1 if malformed. */
int field_find(struct slice body, uint16_t tag, struct field *field);

bool field_u32(const struct field *field, uint32_t *value);
bool field_u64(const struct field *field, uint64_t *value);

uint32_t load_u32(const uint8_t *at);
uint64_t load_u64(const uint8_t *at);
void store_u32(uint8_t *at, uint32_t value);
void store_u64(uint8_t *at, uint64_t value);
void store_frame_header(uint8_t *at, uint16_t type, uint32_t length);
void store_field_header(uint8_t *at, uint16_t tag, uint32_t length);

/* Room for `length` more bytes, whose place is returned; NULL if there is no memory. */
uint8_t *buffer_extend(struct buffer *buffer, size_t length);
void buffer_drop(struct buffer *buffer, size_t length);
void buffer_release(struct buffer *buffer);

/* Starts a frame and returns where, for frame_close(), which sets its length. */
size_t frame_open(struct buffer *buffer, uint16_t type);
void frame_close(struct buffer *buffer, size_t start);
void put_bytes(struct buffer *buffer, uint16_t tag, const void *data, size_t length);
void put_text(struct buffer *buffer, uint16_t tag, const char *text);
void put_u32(struct buffer *buffer, uint16_t tag, uint32_t value);
void put_u64(struct buffer *buffer, uint16_t tag, uint64_t value);

#endif

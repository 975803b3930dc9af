#ifndef AGS_BASE_TEXT_H
#define AGS_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Text that people will see. What comes from a server, a YAML file or a file
 * name goes through ags_text_clean() before it reaches a terminal or a log.
 */

/* Copies at most size-1 bytes and ends with NUL: valid UTF-8 stays, a byte that is not UTF-8 and
 * every control character (C0, DEL, C1) becomes \xHH, \n, \r or \t. Returns the bytes written. */
size_t ags_text_clean(char *to, size_t size, const char *from, size_t len);

/* The same for whole texts of several lines: newline and tab stay as they are. */
size_t ags_text_clean_lines(char *to, size_t size, const char *from, size_t len);

/* The entry of names[] that a person most likely meant by `word`, NULL when none is close. */
const char *ags_text_nearest(const char *word, const char *const *names, size_t count);

/* "1,234,567" */
#define AGS_TEXT_NUMBER 27
void ags_text_number(char to[AGS_TEXT_NUMBER], uint64_t n);

/* The length of the valid UTF-8 sequence at p, 0 when the bytes are none. */
size_t ags_text_utf8(const unsigned char *p, size_t len);

#endif

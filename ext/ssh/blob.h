#ifndef AGS_SSH_BLOB_H
#define AGS_SSH_BLOB_H

#include "base/buf.h"

/*
 * SSH's wire forms: big endian numbers, strings with their length before
 * them, and base64 as key files write it.
 */

/* As the gets of base/buf.h: false, and the cursor stays, when there are not enough bytes. */
bool ags_get_be32(struct ags_cursor *c, uint32_t *v);
bool ags_get_string(struct ags_cursor *c, const uint8_t **bytes, size_t *len);

bool ags_buf_be32(struct ags_buf *b, uint32_t v);
bool ags_buf_string(struct ags_buf *b, const void *bytes, size_t len);

/* The type a key blob begins with, copied to `type` of `size`; false when it is no name of a key type. */
bool ags_blob_type(const uint8_t *blob, size_t len, char *type, size_t size);

/* At most 3/4 of len bytes. Spaces and line ends are passed over. -1 when the text is not base64. */
long ags_base64_decode(uint8_t *to, const char *text, size_t len);

#define AGS_FINGERPRINT_LEN 64

/* "SHA256:" and the base64 of the key's sum, as ssh-keygen -l prints it. */
void ags_fingerprint(const uint8_t *blob, size_t len, char to[AGS_FINGERPRINT_LEN]);

#endif
